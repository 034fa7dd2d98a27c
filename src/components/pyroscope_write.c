/* pyroscope.write: pushes received profiles to any number of Pyroscope servers.
 *
 * Exports `receiver`, the same object for the life of the component, so that an update does not affect senders. Each
 * endpoint has its own queue and backoff (pyroscope_write_sender.h); endpoints that remain in an update keep both. On
 * stop, each endpoint makes one attempt for its queue, within 4 s in total. Without endpoints profiles are accepted and
 * discarded.
 *
 * Source: spec components §4.1-4.5.
 */
#include <stdlib.h>
#include <time.h>

#include "base/cleanup.h"
#include "base/list.h"
#include "base/mem.h"
#include "components/env.h"
#include "components/pyroscope_write_args.h"
#include "components/pyroscope_write_gzip.h"
#include "components/pyroscope_write_ingest.h"
#include "components/pyroscope_write_labels.h"
#include "components/pyroscope_write_sender.h"
#include "flow/receiver.h"
#include "graph/component.h"
#include "graph/measured.h"

enum { DRAIN_MS = 4000 };

/* An endpoint of the past that still delivers what it had. */
struct retired {
    struct list node;
    struct writer *writer;
    struct sender *sender;
    const struct write_args *args; /* one reference, for as long as the sender works by them */
};

struct writer {
    struct component *self;
    struct sender_env env;
    char *path; /* of the module it is in, for metrics */
    const char *local_id;
    struct receiver *receiver;
    const struct write_args *args; /* one reference */
    struct sender **senders;       /* as many as endpoints, in their order */
    struct list retired;
    struct ingest_forwarder *ingest; /* NULL: nothing was to be forwarded yet */
    struct write_gzip *gzip;
    unsigned draining;
    bool stopping, stopped;
};

static const struct write_endpoint_args *writer_endpoint_at(const struct write_args *a, size_t i)
{
    return (const struct write_endpoint_args *)a->endpoints.items + i;
}

static size_t writer_endpoint_count(const struct writer *w)
{
    return w->args->endpoints.len;
}

static void writer_on_packed(void *ctx, const struct labels *labels, struct encoded_profile *p,
                             struct write_latency *latency)
{
    struct writer *w = ctx;
    for (size_t i = 0; i < writer_endpoint_count(w); i++)
        sender_append(w->senders[i], labels, p, latency);
}

static void writer_on_append(void *ctx, const struct labels *labels, struct encoded_profile *p)
{
    struct writer *w = ctx;
    struct labels *out;
    struct err err = {0};
    if (write_labels(labels, &w->args->external_labels, &out, &err) < 0) {
        sender_count_invalid(w->env.component_id, err.text);
        profile_origin_reject(p->origin, err.text);
        profile_origin_drop(p->origin);
        return;
    }
    struct write_latency *latency = write_latency_new(w->local_id, w->path, sender_now_ns);
    write_gzip_append(w->gzip, out, p, latency);
    write_latency_unref(latency);
    labels_unref(out);
}

/* The reference names the application by the service. */
static void writer_on_ingest(void *ctx, const struct labels *labels, struct ingest_body *body)
{
    struct writer *w = ctx;
    cleanup_labels_builder struct labels_builder b = LABELS_BUILDER_INIT;
    const struct str service = labels_get(labels, STR("service_name"));
    struct err err = {0};
    struct labels *out;
    labels_builder_from(&b, labels);
    if (service.n)
        labels_set(&b, STR("__name__"), service);
    struct labels *named = labels_build(&b, false);
    const int code = write_labels(named, &w->args->external_labels, &out, &err);
    labels_unref(named);
    if (code < 0) {
        sender_count_invalid(w->env.component_id, err.text);
        return;
    }
    if (!w->ingest)
        w->ingest = ingest_forwarder_new(&w->env, w->args);
    ingest_forwarder_append(w->ingest, out, body);
    labels_unref(out);
}

static bool writer_discards(void *ctx)
{
    return writer_endpoint_count(ctx) == 0;
}

static void writer_free(void *state)
{
    struct writer *w = state;
    write_gzip_free(w->gzip);
    ingest_forwarder_free(w->ingest);
    for (size_t i = 0; i < writer_endpoint_count(w); i++)
        sender_free(w->senders[i]);
    list_each(&w->retired, node)
    {
        struct retired *r = list_entry(node, struct retired, node);
        sender_free(r->sender);
        args_unref(r->args);
        free(r);
    }
    w->receiver->ctx = NULL;
    receiver_unref(w->receiver);
    free(w->senders);
    args_unref(w->args);
    free(w->path);
    free(w);
}

/* All or none; the array is to be freed in either case. */
static int writer_make_settings(const struct write_args *a, struct sender_settings ***ret, struct err *err)
{
    size_t n = a->endpoints.len;
    struct sender_settings **sets = *ret = xcalloc(n + 1, sizeof(struct sender_settings *));
    for (size_t i = 0; i < n; i++) {
        int code = sender_settings_new(writer_endpoint_at(a, i), &sets[i], err);
        if (code < 0) {
            while (i-- > 0)
                sender_settings_free(sets[i]);
            return code;
        }
    }
    return 0;
}

static int writer_build(struct component *self, const void *args, void **ret_state, struct err *err)
{
    cleanup_free struct sender_settings **sets = NULL;
    const int code = writer_make_settings(args, &sets, err);
    if (code < 0)
        return code;
    const struct component_env *env = component_env(self);
    struct writer *w = xcalloc(1, sizeof *w);
    w->self = self;
    w->env = (struct sender_env){env->loop, component_id(self), env->version, env->storage_path};
    measured_labels(w->env.component_id, &w->path, &w->local_id);
    w->args = args_ref(args);
    list_init(&w->retired);
    w->gzip = write_gzip_new(env->loop, writer_on_packed, w);
    w->senders = xcalloc(writer_endpoint_count(w) + 1, sizeof(struct sender *));
    for (size_t i = 0; i < writer_endpoint_count(w); i++)
        w->senders[i] = sender_new(&w->env, sets[i]);
    if (env->storage_path && *env->storage_path) /* which may hold what an earlier agent did not deliver */
        w->ingest = ingest_forwarder_new(&w->env, w->args);
    w->receiver = receiver_new(w->env.component_id, w, writer_on_append);
    w->receiver->ingest = writer_on_ingest;
    w->receiver->discards = writer_discards;
    struct value *exported = value_object();
    value_object_put(exported, STR("receiver"), receiver_value(w->receiver));
    component_export(self, exported);
    *ret_state = w;
    return 0;
}

/* --- update --- */

static void writer_on_retired_drained(void *arg)
{
    struct retired *r = arg;
    struct writer *w = r->writer;
    list_del(&r->node);
    sender_free(r->sender);
    args_unref(r->args);
    free(r);
    if (--w->draining == 0 && w->stopping && !w->stopped) {
        w->stopped = true;
        component_stopped(w->self);
    }
}

static void writer_retire(struct writer *w, struct sender *s, const struct write_args *a)
{
    struct retired *r = xcalloc(1, sizeof *r);
    *r = (struct retired){.writer = w, .sender = s, .args = args_ref(a)};
    list_push(&w->retired, &r->node);
    w->draining++;
    sender_drain(s, DRAIN_MS, writer_on_retired_drained, r);
}

/* Index of the first unused old sender for this endpoint; count when there is none. */
static size_t writer_find_sender(const struct writer *w, const bool *used, const struct write_endpoint_args *e)
{
    size_t i = 0;
    for (; i < writer_endpoint_count(w); i++) {
        const struct write_endpoint_args *old = writer_endpoint_at(w->args, i);
        if (!used[i] && strcmp(old->url, e->url) == 0 && strcmp(old->name, e->name) == 0)
            break;
    }
    return i;
}

static void writer_adopt(struct writer *w, const struct write_args *next, struct sender_settings **sets)
{
    const struct write_args *old = w->args;
    size_t count = next->endpoints.len, old_count = writer_endpoint_count(w);
    struct sender **senders = xcalloc(count + 1, sizeof(struct sender *)), **old_senders = w->senders;
    cleanup_free bool *used = xcalloc(old_count + 1, sizeof *used);
    for (size_t i = 0; i < count; i++) {
        size_t same = writer_find_sender(w, used, writer_endpoint_at(next, i));
        used[same] = true;
        senders[i] = same < old_count ? old_senders[same] : sender_new(&w->env, sets[i]);
        if (same < old_count)
            sender_update(senders[i], sets[i]);
    }
    w->args = args_ref(next);
    w->senders = senders;
    for (size_t i = 0; i < old_count; i++) {
        if (!used[i])
            writer_retire(w, old_senders[i], old);
    }
    free(old_senders);
    args_unref(old);
}

static int writer_update(void *state, const void *args, struct err *err)
{
    struct writer *w = state;
    cleanup_free struct sender_settings **sets = NULL;
    const int code = writer_make_settings(args, &sets, err);
    if (code == 0)
        writer_adopt(w, args, sets);
    if (code == 0 && w->ingest)
        ingest_forwarder_update(w->ingest, args);
    return code;
}

/* --- stop --- */

static void writer_on_drained(void *arg)
{
    struct writer *w = arg;
    if (--w->draining == 0 && !w->stopped) {
        w->stopped = true;
        component_stopped(w->self);
    }
}

static void writer_stop(void *state)
{
    struct writer *w = state;
    w->stopping = true;
    write_gzip_flush(w->gzip);
    w->draining++; /* until all have begun, as a drain may end at once */
    for (size_t i = 0; i < writer_endpoint_count(w); i++) {
        w->draining++;
        sender_drain(w->senders[i], DRAIN_MS, writer_on_drained, w);
    }
    if (w->ingest) {
        w->draining++;
        ingest_forwarder_drain(w->ingest, DRAIN_MS, writer_on_drained, w);
    }
    writer_on_drained(w);
}

/* --- what an operator sees --- */

static struct value *writer_time_value(int64_t unix_s)
{
    time_t t = (time_t)unix_s;
    struct tm tm;
    char text[32];
    if (!unix_s || !gmtime_r(&t, &tm) || !strftime(text, sizeof text, "%Y-%m-%dT%H:%M:%SZ", &tm))
        return value_null();
    return value_string(str_of(text));
}

static struct value *writer_endpoint_value(const struct sender *s)
{
    struct sender_view v;
    sender_view(s, &v);
    struct value *o = value_object();
    value_object_put(o, STR("url"), value_string(str_of(v.endpoint)));
    value_object_put(o, STR("name"), value_string(str_of(sender_args(s)->name)));
    value_object_put(o, STR("state"), value_string(str_of(sender_state_name(v.state))));
    value_object_put(o, STR("queued_profiles"), value_int((int64_t)v.queued_profiles));
    value_object_put(o, STR("queued_bytes"), value_int((int64_t)v.queued_bytes));
    value_object_put(o, STR("in_flight"), value_int((int64_t)v.in_flight));
    value_object_put(o, STR("spooled_profiles"), value_int((int64_t)v.spooled_profiles));
    value_object_put(o, STR("spooled_bytes"), value_int((int64_t)v.spooled_bytes));
    value_object_put(o, STR("last_error"), value_string(str_of(v.last_error)));
    value_object_put(o, STR("last_error_time"), writer_time_value(v.last_error_s));
    value_object_put(o, STR("last_success_time"), writer_time_value(v.last_success_s));
    value_object_put(o, STR("next_attempt_time"), writer_time_value(v.next_s));
    return o;
}

static struct value *writer_debug_info(void *state)
{
    struct writer *w = state;
    cleanup_free struct value **items = xcalloc(writer_endpoint_count(w) + 1, sizeof(struct value *));
    for (size_t i = 0; i < writer_endpoint_count(w); i++)
        items[i] = writer_endpoint_value(w->senders[i]);
    struct value *o = value_object();
    value_object_put(o, STR("endpoints"), value_array(items, writer_endpoint_count(w)));
    return o;
}

static const char *const exports[] = {"receiver", NULL};

const struct component_def pyroscope_write = {
    .name = "pyroscope.write",
    .help = "Pushes profiles to Pyroscope servers.",
    .stability = STABILITY_GA,
    .args = &write_schema,
    .exports = exports,
    .build = writer_build,
    .update = writer_update,
    .stop = writer_stop,
    .free = writer_free,
    .debug_info = writer_debug_info,
};
