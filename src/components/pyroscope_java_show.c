#include "components/pyroscope_java_show.h"

#include <stdlib.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "base/mem.h"

enum { REJECTED_S = 60 };

/* What is missing that the session cannot know: a server rejected profiles in the last intervals, or the conversion
 * left something out. "" = nothing. */
static const char *java_missing(const struct jvm *v, char room[ERR_MAX])
{
    const int64_t recent = REJECTED_S * NS_PER_SEC + 2 * v->owner->args->profiling.interval;
    if (!v->origin->rejected || clock_ns() - v->origin->rejected_ns > recent)
        return v->cut;
    snprintf(room, ERR_MAX, "a server rejects profiles of this JVM: %.*s", ERR_MAX - 64, v->origin->rejection);
    return room;
}

void java_show_jvm(const struct jvm *v, jvm_status_visit *visit, void *arg)
{
    char service[JAVA_SERVICE_MAX], missing[ERR_MAX];
    cleanup_free char *room = NULL;
    const char *lacks = v->state == JVM_STATE_PROFILING ? java_missing(v, missing) : "";
    const enum jvm_state state = *lacks ? JVM_STATE_DEGRADED : v->state;
    const char *sentence = *lacks ? lacks : v->reason;
    const struct jvm_reason *reason = jvm_reason_of(state, sentence);
    const struct jvm_status status = {
        .pid = v->id.pid,
        .start_time = v->id.start_time,
        .service_name = java_service_name(v->target, service),
        .main = java_main(v->target, &room),
        .state = jvm_state_name(state),
        .reason = sentence,
        .code = reason->code,
        .remedy = reason->remedy,
        .since_ns = v->since_ns,
        .last_profile_ns = v->last_profile_ns,
        .next_profile_ns = v->session ? jvm_session_next_ns(v->session) : 0,
        .profiles = v->profiles,
        .samples = v->samples,
        .labels = v->target,
        .version = v->version,
        .vendor = v->vendor,
        .options = v->owner->events,
        .container = java_container(v->target),
        .profiled_since_ns = v->profiled_since_ns,
        .recorded_bytes = v->recorded_bytes,
        .lost = v->lost_total,
        .delivered = v->origin->delivered,
        .dropped = v->origin->dropped,
        .last_delivered_ns = v->origin->delivered_ns,
        .agent_cpu_ns = v->agent_cpu_ns,
    };
    visit(arg, &status);
}

static int java_by_pid(const void *a, const void *b)
{
    const struct jvm *x = *(const struct jvm *const *)a, *y = *(const struct jvm *const *)b;
    return (x->id.pid > y->id.pid) - (x->id.pid < y->id.pid);
}

void java_show_jvms(void *state, jvm_status_visit *visit, void *arg)
{
    struct java *j = state;
    cleanup_free struct jvm **all = NULL;
    size_t n = 0, cap = 0;
    list_each(&j->jvms, node)
    {
        xgrow(&all, &cap, n + 1, sizeof *all);
        all[n++] = list_entry(node, struct jvm, node);
    }
    if (n > 1)
        qsort(all, n, sizeof *all, java_by_pid);
    for (size_t i = 0; i < n; i++)
        java_show_jvm(all[i], visit, arg);
}

struct java_values {
    struct value **items;
    size_t len, cap;
};

static void java_add_value(void *arg, const struct jvm_status *status)
{
    struct java_values *l = arg;
    xgrow(&l->items, &l->cap, l->len + 1, sizeof *l->items);
    l->items[l->len++] = jvm_status_value(status);
}

struct value *java_show_debug_info(void *state)
{
    struct java_values l = {0};
    java_show_jvms(state, java_add_value, &l);
    struct value *object = value_object();
    value_object_put(object, STR("profiled_targets"), value_array(l.items, l.len));
    free(l.items);
    return object;
}

void java_show_ended(void *state, jvm_status_visit *visit, void *arg)
{
    struct java *j = state;
    java_ended_each(&j->ended, clock_ns(), visit, arg);
}
