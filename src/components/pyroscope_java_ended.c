#include "components/pyroscope_java_ended.h"

#include <stdlib.h>

#include "base/clock.h"
#include "base/mem.h"

/* Text of the status is owned. */
struct ended_jvm {
    struct list node;
    struct jvm_status status;
    struct profile_origin *origin;
    int64_t added_ns;
};

void java_ended_init(struct java_ended *e)
{
    list_init(&e->items);
    e->len = 0;
}

static void java_ended_free(struct java_ended *e, struct ended_jvm *j)
{
    list_del(&j->node);
    e->len--;
    free((char *)j->status.service_name.p);
    free((char *)j->status.main.p);
    free((char *)j->status.reason);
    free((char *)j->status.version);
    free((char *)j->status.vendor);
    free((char *)j->status.options);
    free((char *)j->status.container.p);
    labels_unref(j->status.labels);
    profile_origin_unref(j->origin);
    free(j);
}

void java_ended_done(struct java_ended *e)
{
    list_each(&e->items, node) java_ended_free(e, list_entry(node, struct ended_jvm, node));
}

static struct str java_ended_copy(struct str text)
{
    return (struct str){str_dup(text), text.n};
}

static char *java_ended_text(const char *text)
{
    return xstrdup(text ? text : "");
}

void java_ended_add(struct java_ended *e, const struct jvm_status *status, struct profile_origin *origin,
                    int64_t now_ns)
{
    struct ended_jvm *j = xcalloc(1, sizeof *j);
    j->status = *status;
    j->status.service_name = java_ended_copy(status->service_name);
    j->status.main = java_ended_copy(status->main);
    j->status.container = java_ended_copy(status->container);
    j->status.reason = java_ended_text(status->reason);
    j->status.version = java_ended_text(status->version);
    j->status.vendor = java_ended_text(status->vendor);
    j->status.options = java_ended_text(status->options);
    j->status.labels = labels_ref(status->labels);
    j->status.ended_ns = clock_wall_ns();
    j->status.next_profile_ns = 0;
    j->origin = profile_origin_ref(origin);
    j->added_ns = now_ns;
    list_push(e->items.next, &j->node);
    if (++e->len > JAVA_ENDED)
        java_ended_free(e, list_entry(e->items.prev, struct ended_jvm, node));
}

void java_ended_each(struct java_ended *e, int64_t now_ns, jvm_status_visit *visit, void *arg)
{
    list_each(&e->items, node)
    {
        struct ended_jvm *j = list_entry(node, struct ended_jvm, node);
        if (now_ns - j->added_ns > JAVA_ENDED_S * NS_PER_SEC) {
            java_ended_free(e, j);
            continue;
        }
        j->status.delivered = j->origin->delivered;
        j->status.dropped = j->origin->dropped;
        j->status.last_delivered_ns = j->origin->delivered_ns;
        visit(arg, &j->status);
    }
}
