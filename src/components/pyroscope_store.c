/* pyroscope.store: keeps profiles in a store of this process, the agent's or one of its own, without HTTP.
 *
 * Exports `receiver`, the same object for the component's whole life. What arrives waits in a queue of at most
 * QUEUE_BYTES and is pushed to the store, up to PUSHES at a time, which works in its own workers and parser processes:
 * a slow store delays nobody, and the oldest profile is dropped when the queue is full. Profiles are shared with their
 * other receivers, not copied. While the store cannot be opened, is full or damaged, the component is unhealthy and
 * tries again; profiles wait in the queue meanwhile.
 */
#include <stdlib.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "base/list.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/metric.h"
#include "components/env.h"
#include "components/pyroscope_store_args.h"
#include "components/pyroscope_store_home.h"
#include "flow/receiver.h"
#include "graph/component.h"

enum {
    QUEUE_BYTES = 8 << 20,
    PUSHES = 64,     /* a transaction of the store */
    RETRY_MS = 1000, /* after the store was busy: no space, no parser, a full queue */
    OPEN_MS = 10000, /* after it could not be opened */
    STOP_MS = 4000,
};

static struct metric_family kept_profiles = {
    .name = "smolder_kept_profiles_total",
    .help = "Profiles of a pyroscope.store, by result: stored, refused, failed, queue_full, stopped.",
    .kind = METRIC_COUNTER,
    .labels = {"component_id", "result"}};
static struct metric_family kept_bytes = {.name = "smolder_kept_bytes",
                                          .help = "Bytes in use of the database of a pyroscope.store with its own.",
                                          .kind = METRIC_GAUGE,
                                          .labels = {"component_id"}};

enum keeper_result { KEPT, REFUSED, FAILED, QUEUE_FULL, STOPPED, RESULTS };
static const char *const result_names[RESULTS] = {"stored", "refused", "failed", "queue_full", "stopped"};

/* One profile, and what the store is told of it; one reference each. */
struct kept_item {
    struct list node;
    struct keeper *owner; /* NULL: gone while the store had it */
    struct labels *labels;
    struct encoded_profile *profile;
    struct str pprof;
    struct series series;
};

struct keeper {
    struct component *self;
    uv_loop_t *loop;
    const struct store_args *args; /* one reference */
    struct receiver *receiver;
    struct store_home *home;   /* NULL: closed */
    struct list queue, pushed; /* struct kept_item: waiting; with the store */
    size_t queued, queued_bytes, pushing;
    uint64_t counts[RESULTS];
    uv_timer_t *timer;        /* NULL: not started */
    char last_error[ERR_MAX]; /* "" = all is well */
    bool waits;               /* for the timer, to push again */
    bool stopping, stopped;
    int64_t stop_at;
};

/* --- items --- */

static bool keeper_label_is_kept(struct str name)
{
    return !str_has_prefix(name, STR("__")) || str_is(name, "__name__") || str_is(name, "__delta__");
}

/* Without those for use within the agent, as pyroscope.write pushes them. New reference. */
static struct labels *keeper_labels(const struct labels *in)
{
    cleanup_labels_builder struct labels_builder b = LABELS_BUILDER_INIT;
    labels_builder_from(&b, in);
    for (size_t i = 0; i < labels_len(in); i++) {
        const struct str name = labels_at(in, i)->name;
        if (!keeper_label_is_kept(name))
            labels_del(&b, name);
    }
    return labels_build(&b, true);
}

static struct kept_item *kept_item_new(struct keeper *w, const struct labels *labels, struct encoded_profile *p)
{
    struct kept_item *i = xcalloc(1, sizeof *i);
    *i = (struct kept_item){.owner = w,
                            .labels = keeper_labels(labels),
                            .profile = encoded_profile_ref(p),
                            .pprof = {(const char *)p->pprof, p->len}};
    list_init(&i->node);
    i->series = (struct series){.labels = labels_len(i->labels) ? labels_at(i->labels, 0) : NULL,
                                .label_count = labels_len(i->labels),
                                .profiles = &i->pprof,
                                .profile_count = 1};
    return i;
}

static void kept_item_free(struct kept_item *i)
{
    list_del(&i->node);
    labels_unref(i->labels);
    encoded_profile_unref(i->profile);
    free(i);
}

static void keeper_count(struct keeper *w, enum keeper_result result)
{
    w->counts[result]++;
    metric_add(&kept_profiles, 1, component_id(w->self), result_names[result]);
}

/* --- health --- */

static void keeper_fails(struct keeper *w, const char *why)
{
    if (!*w->last_error)
        log_error("cannot keep profiles", L_COMPONENT(component_id(w->self)), L_STR("err", why));
    snprintf(w->last_error, sizeof w->last_error, "%s", why);
    component_health(w->self, false, "cannot keep profiles: %s", why);
}

static void keeper_works(struct keeper *w)
{
    if (!*w->last_error)
        return;
    w->last_error[0] = '\0';
    log_info("profiles are kept again", L_COMPONENT(component_id(w->self)));
    component_health(w->self, true, "started component");
}

/* --- the queue --- */

static void keeper_push_queued(struct keeper *w);
static void keeper_end(struct keeper *w);
static void keeper_on_timer(uv_timer_t *t);

static void keeper_wait(struct keeper *w)
{
    w->waits = true;
    if (w->timer && !w->stopping)
        uv_timer_start(w->timer, keeper_on_timer, RETRY_MS, 0);
}

static void keeper_enqueue(struct keeper *w, struct kept_item *i, bool first)
{
    w->queued++;
    w->queued_bytes += i->pprof.n;
    list_push(first ? w->queue.next : &w->queue, &i->node);
}

static struct kept_item *keeper_dequeue(struct keeper *w)
{
    struct kept_item *i = list_entry(w->queue.next, struct kept_item, node);
    list_del(&i->node);
    w->queued--;
    w->queued_bytes -= i->pprof.n;
    return i;
}

static void keeper_drop(struct keeper *w, struct kept_item *i, enum keeper_result why)
{
    keeper_count(w, why);
    if (why == KEPT)
        profile_origin_deliver(i->profile->origin);
    else
        profile_origin_drop(i->profile->origin);
    kept_item_free(i);
}

static void keeper_bound(struct keeper *w)
{
    while (w->queued_bytes > QUEUE_BYTES && w->queued > 1)
        keeper_drop(w, keeper_dequeue(w), QUEUE_FULL);
}

/* --- the store's answers --- */

static void keeper_judge(struct keeper *w, struct kept_item *i, enum store_result result, const struct err *err)
{
    switch (result) {
    case STORE_OK:
        keeper_works(w);
        keeper_drop(w, i, KEPT);
        break;
    case STORE_INVALID:
    case STORE_SET_ASIDE:
        profile_origin_reject(i->profile->origin, err->text);
        keeper_drop(w, i, REFUSED);
        break;
    case STORE_BUSY:
    case STORE_DAMAGED:
        keeper_fails(w, err->text);
        keeper_enqueue(w, i, true);
        keeper_bound(w);
        keeper_wait(w);
        break;
    case STORE_FAILED:
        keeper_fails(w, err->text);
        keeper_drop(w, i, FAILED);
        break;
    }
}

static void keeper_on_pushed(void *arg, enum store_result result, const struct err *err)
{
    struct kept_item *i = arg;
    struct keeper *w = i->owner;
    if (!w) {
        kept_item_free(i);
        return;
    }
    list_del(&i->node);
    w->pushing--;
    keeper_judge(w, i, result, err);
    keeper_push_queued(w);
}

static void keeper_push_queued(struct keeper *w)
{
    struct store *store = w->home ? store_home_store(w->home) : NULL;
    while (store && !w->waits && w->queued && w->pushing < PUSHES) {
        struct kept_item *i = keeper_dequeue(w);
        if (store_push(store, &i->series, 1, i->pprof.n, keeper_on_pushed, i) < 0) {
            keeper_enqueue(w, i, true);
            keeper_wait(w);
            break;
        }
        list_push(&w->pushed, &i->node);
        w->pushing++;
    }
    if (w->stopping && !w->queued && !w->pushing)
        keeper_end(w);
}

static void keeper_append(void *ctx, const struct labels *labels, struct encoded_profile *p)
{
    struct keeper *w = ctx;
    if (w->stopping)
        return;
    keeper_enqueue(w, kept_item_new(w, labels, p), false);
    keeper_bound(w);
    keeper_push_queued(w);
}

/* --- life --- */

static void keeper_on_home(void *arg)
{
    struct keeper *w = arg;
    const char *error = store_home_error(w->home);
    if (store_home_bytes(w->home))
        metric_set(&kept_bytes, (double)store_home_bytes(w->home), component_id(w->self));
    if (*error) {
        keeper_fails(w, error);
        if (w->timer && !w->stopping)
            uv_timer_start(w->timer, keeper_on_timer, OPEN_MS, 0);
    } else if (store_home_store(w->home) && !w->waits) {
        keeper_works(w);
    }
    keeper_push_queued(w);
}

static void keeper_on_problem(void *arg, const char *text)
{
    const struct keeper *w = arg;
    log_warn("store", L_COMPONENT(component_id(w->self)), L_STR("err", text));
}

static void keeper_open(struct keeper *w)
{
    store_home_open(w->home, w->args);
    keeper_on_home(w);
}

static void keeper_tell_stopped(struct keeper *w)
{
    if (w->stopped)
        return;
    w->stopped = true;
    component_stopped(w->self);
}

static void keeper_on_home_closed(void *arg)
{
    struct keeper *w = arg;
    w->home = NULL;
    keeper_tell_stopped(w);
}

static void keeper_drop_all(struct keeper *w)
{
    while (w->queued)
        keeper_drop(w, keeper_dequeue(w), STOPPED);
}

static void keeper_end(struct keeper *w)
{
    if (w->home && !w->stopped)
        store_home_close(w->home, keeper_on_home_closed);
    else
        keeper_tell_stopped(w);
}

static void keeper_on_timer(uv_timer_t *t)
{
    struct keeper *w = t->data;
    w->waits = false;
    if (w->stopping && clock_ms() >= w->stop_at) {
        keeper_drop_all(w);
        keeper_tell_stopped(w); /* the store takes too long */
    } else if (!w->stopping && *store_home_error(w->home)) {
        keeper_open(w);
    } else {
        keeper_push_queued(w);
    }
}

static int keeper_build(struct component *self, const void *args, void **ret_state, struct err *err)
{
    (void)err;
    const struct component_env *env = component_env(self);
    struct keeper *w = xcalloc(1, sizeof *w);
    *w = (struct keeper){.self = self, .loop = env->loop, .args = args_ref(args)};
    list_init(&w->queue);
    list_init(&w->pushed);
    w->home = store_home_new(&(struct store_home_options){.loop = env->loop,
                                                          .parsers = env->parsers,
                                                          .shared = env->store,
                                                          .data_dir = env->storage_path,
                                                          .changed = keeper_on_home,
                                                          .problem = keeper_on_problem,
                                                          .arg = w});
    w->receiver = receiver_new(component_id(self), w, keeper_append);
    struct value *exported = value_object();
    value_object_put(exported, STR("receiver"), receiver_value(w->receiver));
    component_export(self, exported);
    *ret_state = w;
    return 0;
}

static int keeper_update(void *state, const void *args, struct err *err)
{
    (void)err;
    struct keeper *w = state;
    args_unref(w->args);
    w->args = args_ref(args);
    if (w->timer && !w->stopping)
        keeper_open(w);
    return 0;
}

static void keeper_start(void *state)
{
    struct keeper *w = state;
    w->timer = xcalloc(1, sizeof *w->timer);
    uv_timer_init(w->loop, w->timer);
    w->timer->data = w;
    for (size_t i = 0; i < RESULTS; i++)
        metric_add(&kept_profiles, 0, component_id(w->self), result_names[i]);
    keeper_open(w);
}

static void keeper_stop(void *state)
{
    enum { STEP_MS = 200 };
    struct keeper *w = state;
    w->stopping = true;
    w->stop_at = clock_ms() + STOP_MS;
    if (w->timer)
        uv_timer_start(w->timer, keeper_on_timer, STEP_MS, STEP_MS);
    if (!w->timer || *store_home_error(w->home))
        keeper_drop_all(w); /* nobody takes them */
    keeper_push_queued(w);
}

static void keeper_on_timer_closed(uv_handle_t *h)
{
    free(h);
}

static void keeper_free(void *state)
{
    struct keeper *w = state;
    if (w->timer)
        uv_close((uv_handle_t *)TAKE_PTR(w->timer), keeper_on_timer_closed);
    list_each(&w->pushed, node) list_entry(node, struct kept_item, node)->owner = NULL;
    while (!list_empty(&w->pushed))
        list_del(w->pushed.next);
    list_each(&w->queue, node) kept_item_free(list_entry(node, struct kept_item, node));
    if (w->home) {
        store_home_abandon(w->home);
        store_home_close(w->home, NULL);
    }
    for (size_t i = 0; i < RESULTS; i++)
        metric_forget(&kept_profiles, component_id(w->self), result_names[i]);
    metric_forget(&kept_bytes, component_id(w->self));
    w->receiver->ctx = NULL;
    receiver_unref(w->receiver);
    args_unref(w->args);
    free(w);
}

static struct value *keeper_debug_info(void *state)
{
    const struct keeper *w = state;
    struct value *o = value_object();
    if (w->home) {
        value_object_put(o, STR("path"), value_string(str_of(store_home_path(w->home))));
        value_object_put(o, STR("bytes"), value_int(store_home_bytes(w->home)));
    }
    for (size_t i = 0; i < RESULTS; i++)
        value_object_put(o, str_of(result_names[i]), value_int((int64_t)w->counts[i]));
    value_object_put(o, STR("queued_bytes"), value_int((int64_t)w->queued_bytes));
    value_object_put(o, STR("last_error"), value_string(str_of(w->last_error)));
    return o;
}

static const char *const exports[] = {"receiver", NULL};

const struct component_def pyroscope_store = {
    .name = "pyroscope.store",
    .help = "Keeps profiles in the embedded store, or in one of its own, without HTTP. Not in Grafana Alloy.",
    .stability = STABILITY_GA,
    .args = &store_schema,
    .exports = exports,
    .build = keeper_build,
    .update = keeper_update,
    .start = keeper_start,
    .stop = keeper_stop,
    .free = keeper_free,
    .debug_info = keeper_debug_info,
};
