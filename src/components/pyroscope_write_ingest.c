#include "components/pyroscope_write_ingest.h"

#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "base/list.h"
#include "base/log.h"
#include "base/mem.h"
#include "components/pyroscope_write_ingest_spill.h"
#include "flow/dropped.h"
#include "graph/args.h"
#include "net/url.h"
#include "pyroscope/push_client.h"

enum { ANSWER_MAX = 2048, STATUS_TIMEOUT = 408, STATUS_LIMITED = 429, STATUS_SERVER = 500 };
enum { PATIENCE = 4 };

static struct metric_family ingests = {.name = "smolder_ingests_total",
                                       .help = "Requests to /ingest, by endpoint and result: ok, retry or rejected.",
                                       .kind = METRIC_COUNTER,
                                       .labels = {"endpoint", "result"}};

struct ingest_forwarder {
    struct sender_env env;
    const struct write_args *args; /* one reference */
    struct ingest_endpoint **endpoints;
    size_t count;
    struct http_client *http; /* from the first body on */
    uv_timer_t *deadline;     /* while draining */
    void (*drained)(void *arg);
    void *drained_arg;
    bool draining, beginning;
};

/* --- the queue --- */

static void ingest_drop(struct ingest_endpoint *e, struct ingest_item *i, enum push_drop why)
{
    const bool is_elsewhere = why == PUSH_DROP_SHUTDOWN || why == PUSH_DROP_QUEUE_FULL;
    if (!ingest_forget_copy(e, i, is_elsewhere))
        metric_add(&dropped_profiles_total, 1, push_drop_name(why));
    ingest_item_free(e, i);
}

static struct ingest_item *ingest_first(const struct ingest_endpoint *e)
{
    return list_empty(&e->queue) ? NULL : list_entry(e->queue.next, struct ingest_item, node);
}

/* Oldest first, but not the one that is being sent. */
static void ingest_make_room(struct ingest_endpoint *e)
{
    const int64_t now = sender_now_ns(), most = e->spool ? INT64_MAX : INGEST_QUEUE_AGE_S * NS_PER_SEC;
    list_each(&e->queue, node)
    {
        struct ingest_item *i = list_entry(node, struct ingest_item, node);
        if (i == e->sent)
            continue;
        if (e->bytes > INGEST_QUEUE_BYTES)
            ingest_drop(e, i, PUSH_DROP_QUEUE_FULL);
        else if (now - i->since_ns > most)
            ingest_drop(e, i, PUSH_DROP_TOO_OLD);
    }
}

/* After so many attempts of the oldest one others are tried: it may be at fault itself. */
static int64_t ingest_patience(const struct ingest_endpoint *e)
{
    const int64_t most = e->args->max_backoff_retries;
    return most > 0 && most < PATIENCE ? most : PATIENCE;
}

/* The next to be sent, and when: the oldest, and once that has failed often, those that failed least. */
static struct ingest_item *ingest_next(const struct ingest_endpoint *e, int64_t *due_ns)
{
    struct ingest_item *best = ingest_first(e);
    const int64_t now = sender_now_ns();
    if (best && best->attempts >= ingest_patience(e)) {
        list_each(&e->queue, node)
        {
            struct ingest_item *i = list_entry(node, struct ingest_item, node);
            const bool is_ready = i->wait_until_ns <= now, is_best_ready = best->wait_until_ns <= now;
            if (is_ready == is_best_ready ? i->attempts < best->attempts : is_ready)
                best = i;
        }
    }
    if (best)
        *due_ns = e->wait_until_ns > best->wait_until_ns ? e->wait_until_ns : best->wait_until_ns;
    return best;
}

/* --- requests --- */

struct ingest_headers {
    char **lines; /* NULL-terminated */
    size_t len;
};

static void ingest_header_add(struct ingest_headers *h, char *line)
{
    h->lines = xrealloc(h->lines, (h->len + 2) * sizeof *h->lines);
    h->lines[h->len++] = line;
    h->lines[h->len] = NULL;
}

static void ingest_headers_done(struct ingest_headers *h)
{
    for (size_t i = 0; i < h->len; i++)
        free(h->lines[i]);
    free(h->lines);
}

static int ingest_headers_make(const struct ingest_endpoint *e, const struct ingest_item *i, struct ingest_headers *h,
                               struct err *err)
{
    const struct write_endpoint_args *a = e->args;
    cleanup_free char *authorization = NULL;
    bool has_own = false;
    int code = http_settings_authorization(&a->http, &authorization, err);
    const struct str type = labels_get(i->labels, STR(INGEST_LABEL_TYPE));
    ingest_header_add(h, xasprintf("User-Agent: smolder/%s", e->env->version));
    if (type.n)
        ingest_header_add(h, xasprintf("Content-Type: %.*s", STR_ARG(type)));
    for (size_t n = 0; n < a->headers.len && code == 0; n++) {
        const struct string_pair *p = &a->headers.items[n];
        if (push_client_reserves(str_of(p->name)))
            continue;
        has_own |= strcasecmp(p->name, "Authorization") == 0;
        ingest_header_add(h, xasprintf("%s: %s", p->name, p->value));
    }
    for (size_t n = 0; n < a->http.http_headers.len; n++)
        ingest_header_add(h, xstrdup(a->http.http_headers.lines[n]));
    if (authorization && !has_own)
        ingest_header_add(h, xasprintf("Authorization: %s", authorization));
    return code;
}

static char *ingest_url(const struct ingest_endpoint *e, const struct ingest_item *i)
{
    const struct str query = labels_get(i->labels, STR(INGEST_LABEL_QUERY));
    size_t n = strlen(e->args->url);
    while (n && e->args->url[n - 1] == '/')
        n--;
    return xasprintf("%.*s/ingest?name=%s%s%.*s", (int)n, e->args->url, i->name, query.n ? "&" : "", STR_ARG(query));
}

static void ingest_on_answer(void *arg, const struct http_response *r);

static int ingest_start(struct ingest_endpoint *e, struct ingest_item *i, struct err *err)
{
    struct ingest_headers headers = {0};
    int code = ingest_headers_make(e, i, &headers, err);
    if (code == 0)
        code = http_settings_open(&e->args->http, &e->opened, err);
    if (code < 0) {
        ingest_headers_done(&headers);
        return code;
    }
    if (!e->owner->http)
        e->owner->http = http_client_get(e->owner->env.loop);
    cleanup_free char *url = ingest_url(e, i);
    e->piece = (struct str){(const char *)i->profile->pprof, i->profile->len};
    const struct http_request rq = {
        .method = "POST",
        .url = url,
        .headers = (const char *const *)headers.lines,
        .body = &e->piece,
        .body_pieces = 1,
        .timeout_ms = e->args->remote_timeout / NS_PER_MS,
        .follow_redirects = e->args->http.follow_redirects,
        .http2 = e->args->http.enable_http2,
        .proxy = e->opened.proxy,
        .tls = e->opened.tls,
        .authorizer = oauth2_authorizer(e->opened.oauth2),
        .response_max = ANSWER_MAX,
    };
    code = http_start(e->owner->http, &rq, ingest_on_answer, e, &e->call, err);
    ingest_headers_done(&headers);
    if (code < 0)
        http_settings_close(&e->opened);
    else
        e->sent = i;
    e->begun_ns = sender_now_ns();
    return code;
}

static void ingest_pump(struct ingest_endpoint *e);

static void ingest_on_timer(uv_timer_t *t)
{
    ingest_pump(t->data);
}

/* --- what happened --- */

static void ingest_begin_trouble(struct ingest_endpoint *e, const char *why)
{
    if (!e->is_troubled)
        log_warn("profiles cannot be passed on to /ingest", L_COMPONENT(e->env->component_id),
                 L_STR("endpoint", e->label), L_STR("err", why));
    e->is_troubled = true;
}

/* What failed before is at fault itself, for the endpoint took another one that was sent later. */
static void ingest_blame_failed(struct ingest_endpoint *e)
{
    const int64_t most = e->args->max_backoff_retries;
    list_each(&e->queue, node)
    {
        struct ingest_item *i = list_entry(node, struct ingest_item, node);
        if (!i->pending || i->failed_ns > e->begun_ns)
            continue;
        i->judged += i->pending;
        i->pending = 0;
        if (most > 0 && i->judged >= most)
            ingest_drop(e, i, PUSH_DROP_RETRIES);
    }
}

static void ingest_note_success(struct ingest_endpoint *e)
{
    if (e->is_troubled)
        log_info("passing on to /ingest works again", L_COMPONENT(e->env->component_id), L_STR("endpoint", e->label));
    e->is_troubled = e->is_down = false;
    e->failed = NULL;
    e->wait_until_ns = 0;
    push_backoff_reset(&e->backoff, e->args->min_backoff_period, e->args->max_backoff_period);
    ingest_blame_failed(e);
}

static void ingest_succeed(struct ingest_endpoint *e, struct ingest_item *i)
{
    metric_add(&ingests, 1, e->label, "ok");
    (void)ingest_forget_copy(e, i, false);
    ingest_item_free(e, i);
    ingest_note_success(e);
}

/* One that fails may be at fault itself; once another one fails, too, or there is no connection, it is the endpoint. */
static void ingest_suspect(struct ingest_endpoint *e, struct ingest_item *i, bool is_endpoint, int64_t retry_after_ms)
{
    const int64_t most = INGEST_QUEUE_AGE_S * NS_PER_SEC, asked = retry_after_ms * NS_PER_MS;
    if (is_endpoint || e->is_down || (e->failed && e->failed != i)) {
        int64_t wait = push_backoff_next(&e->backoff, sender_jitter());
        if (asked > wait)
            wait = asked < most ? asked : most;
        e->wait_until_ns = sender_now_ns() + wait;
        e->is_down = true;
        list_each(&e->queue, node) list_entry(node, struct ingest_item, node)->pending = 0;
    }
    e->failed = i;
}

/* Whether it had its attempts, and there is no other to be compared with, and no disk to wait on. */
static bool ingest_gives_up(const struct ingest_endpoint *e, const struct ingest_item *i)
{
    const int64_t most = e->args->max_backoff_retries;
    return most > 0 && i->judged + i->pending >= most && !e->spool && e->queue.next == e->queue.prev;
}

static void ingest_fail(struct ingest_endpoint *e, struct ingest_item *i, bool is_endpoint, int64_t retry_after_ms,
                        const char *why)
{
    metric_add(&ingests, 1, e->label, "retry");
    ingest_begin_trouble(e, why);
    if (e->is_draining) {
        ingest_drop(e, i, PUSH_DROP_SHUTDOWN);
        return;
    }
    ingest_suspect(e, i, is_endpoint || retry_after_ms > 0, retry_after_ms);
    i->attempts++;
    i->pending += !e->is_down;
    i->failed_ns = sender_now_ns();
    i->wait_until_ns = i->failed_ns + push_backoff_after(e->args->min_backoff_period, e->args->max_backoff_period,
                                                         (unsigned)i->attempts, sender_jitter());
    if (ingest_gives_up(e, i))
        ingest_drop(e, i, PUSH_DROP_RETRIES);
}

static void ingest_reject(struct ingest_endpoint *e, struct ingest_item *i, const char *why)
{
    metric_add(&ingests, 1, e->label, "rejected");
    ingest_begin_trouble(e, why);
    ingest_drop(e, i, PUSH_DROP_REJECTED);
}

static bool ingest_is_endpoint_failure(const struct http_response *r)
{
    return r->status == 0 && r->failure != HTTP_TIMED_OUT && r->failure != HTTP_BROKEN;
}

static void ingest_on_answer(void *arg, const struct http_response *r)
{
    struct ingest_endpoint *e = arg;
    struct ingest_item *i = TAKE_PTR(e->sent);
    e->call = NULL;
    http_settings_close(&e->opened);
    if (r->status >= 200 && r->status < 300) {
        ingest_succeed(e, i);
    } else {
        const bool again = !r->status || r->status == STATUS_TIMEOUT || r->status >= STATUS_SERVER ||
                           (r->status == STATUS_LIMITED && e->args->retry_on_http_429);
        cleanup_free char *why =
            r->status ? xasprintf("HTTP status %d: %.*s", r->status, STR_ARG(str_trim(r->body))) : xstrdup(r->error);
        if (again)
            ingest_fail(e, i, ingest_is_endpoint_failure(r), r->retry_after_ms, why);
        else
            ingest_reject(e, i, why);
    }
    ingest_pump(e);
}

static bool ingest_has_work(const struct ingest_endpoint *e)
{
    return e->call || !list_empty(&e->queue) || (e->spool && !write_spool_is_idle(e->spool));
}

static void ingest_end_drain(struct ingest_forwarder *f)
{
    for (size_t i = 0; i < f->count; i++)
        if (ingest_has_work(f->endpoints[i]))
            return;
    if (!f->drained || f->beginning)
        return;
    uv_timer_stop(f->deadline);
    void (*drained)(void *arg) = TAKE_PTR(f->drained);
    drained(f->drained_arg); /* may free the forwarder */
}

static void ingest_set_timer(struct ingest_endpoint *e, int64_t send_due_ns)
{
    const int64_t spill = ingest_spill_due_ns(e), now = sender_now_ns();
    const int64_t due = spill < send_due_ns ? spill : send_due_ns;
    if (due == INT64_MAX) {
        if (e->timer)
            uv_timer_stop(e->timer);
        return;
    }
    if (!e->timer) {
        e->timer = xcalloc(1, sizeof *e->timer);
        uv_timer_init(e->env->loop, e->timer);
        e->timer->data = e;
    }
    uv_update_time(e->env->loop);
    uv_timer_start(e->timer, ingest_on_timer, due > now ? (uint64_t)((due - now + NS_PER_MS - 1) / NS_PER_MS) : 0, 0);
}

/* Starts what may be started now. */
static void ingest_pump(struct ingest_endpoint *e)
{
    int64_t due = INT64_MAX;
    ingest_make_room(e);
    while (!e->call) {
        struct err err = {0};
        struct ingest_item *i = e->is_draining ? ingest_first(e) : ingest_next(e, &due);
        if (!i || (!e->is_draining && due > sender_now_ns()))
            break;
        if (ingest_start(e, i, &err) < 0)
            ingest_fail(e, i, true, 0, err.text);
        due = INT64_MAX;
    }
    ingest_spill(e);
    ingest_set_timer(e, e->call ? INT64_MAX : due);
    if (e->is_draining)
        ingest_end_drain(e->owner);
}

/* What stands beside the body becomes labels, as only those are kept by a spool. */
static struct labels *ingest_labels_with(const struct labels *labels, const struct ingest_body *body)
{
    cleanup_labels_builder struct labels_builder b = LABELS_BUILDER_INIT;
    labels_builder_from(&b, labels);
    labels_set(&b, STR(INGEST_LABEL_TYPE), str_of(body->content_type));
    labels_set(&b, STR(INGEST_LABEL_QUERY), str_of(body->query));
    return labels_build(&b, false);
}

void ingest_forwarder_append(struct ingest_forwarder *f, const struct labels *labels, struct ingest_body *body)
{
    struct labels *all = ingest_labels_with(labels, body);
    struct encoded_profile *p = encoded_profile_of_body(body);
    for (size_t n = 0; n < f->count; n++) {
        if (f->draining)
            metric_add(&dropped_profiles_total, 1, push_drop_name(PUSH_DROP_SHUTDOWN));
        else if (ingest_item_add(f->endpoints[n], all, p, sender_now_ns()))
            ingest_pump(f->endpoints[n]);
    }
    encoded_profile_unref(p);
    labels_unref(all);
}

/* --- endpoints --- */

static void ingest_endpoint_use(struct ingest_endpoint *e, const struct write_endpoint_args *args)
{
    cleanup_http_url struct http_url url = {0};
    struct err unused;
    if (e->args && !schema_equal(&write_endpoint_schema, e->args, args)) {
        e->is_down = false;
        e->wait_until_ns = 0;
        list_each(&e->queue, node) list_entry(node, struct ingest_item, node)->wait_until_ns = 0;
    }
    e->args = args;
    free(e->label);
    e->label = http_url_parse(args->url, &url, &unused) == 0 ? TAKE_PTR(url.bare) : xstrdup("");
    push_backoff_reset(&e->backoff, args->min_backoff_period, args->max_backoff_period);
    ingest_open_spool(e);
}

static struct ingest_endpoint *ingest_endpoint_new(struct ingest_forwarder *f, const struct write_endpoint_args *args)
{
    struct ingest_endpoint *e = xcalloc(1, sizeof *e);
    e->owner = f;
    e->env = &f->env;
    e->pump = ingest_pump;
    e->opened = HTTP_SETTINGS_OPEN_INIT;
    list_init(&e->queue);
    ingest_endpoint_use(e, args);
    return e;
}

static void ingest_on_timer_closed(uv_handle_t *h)
{
    free(h);
}

static void ingest_endpoint_free(struct ingest_endpoint *e)
{
    if (e->call)
        http_cancel(TAKE_PTR(e->call));
    http_settings_close(&e->opened);
    e->is_draining = true;
    ingest_spill(e);
    list_each(&e->queue, node) ingest_drop(e, list_entry(node, struct ingest_item, node), PUSH_DROP_SHUTDOWN);
    ingest_close_spool(e);
    if (e->timer)
        uv_close((uv_handle_t *)e->timer, ingest_on_timer_closed);
    free(e->label);
    free(e);
}

/* The endpoint of before that is the same server, taken out of `old`; NULL: it is new. */
static struct ingest_endpoint *ingest_take_same(struct ingest_endpoint **old, size_t n,
                                                const struct write_endpoint_args *args)
{
    for (size_t i = 0; i < n; i++)
        if (old[i] && strcmp(old[i]->args->url, args->url) == 0 && strcmp(old[i]->args->name, args->name) == 0)
            return TAKE_PTR(old[i]);
    return NULL;
}

void ingest_forwarder_update(struct ingest_forwarder *f, const struct write_args *args)
{
    const struct write_args *before = f->args;
    struct ingest_endpoint **old = f->endpoints;
    const size_t old_count = f->count;
    f->args = args_ref(args);
    f->count = args->endpoints.len;
    f->endpoints = xcalloc(f->count + 1, sizeof(struct ingest_endpoint *));
    for (size_t i = 0; i < f->count; i++) {
        const struct write_endpoint_args *a = (const struct write_endpoint_args *)args->endpoints.items + i;
        f->endpoints[i] = ingest_take_same(old, old_count, a);
        if (f->endpoints[i])
            ingest_endpoint_use(f->endpoints[i], a);
        else
            f->endpoints[i] = ingest_endpoint_new(f, a);
    }
    for (size_t i = 0; i < f->count; i++)
        ingest_pump(f->endpoints[i]);
    for (size_t i = 0; i < old_count; i++)
        if (old[i])
            ingest_endpoint_free(old[i]);
    free(old);
    args_unref(before);
}

struct ingest_forwarder *ingest_forwarder_new(const struct sender_env *env, const struct write_args *args)
{
    struct ingest_forwarder *f = xcalloc(1, sizeof *f);
    f->env = *env;
    ingest_forwarder_update(f, args);
    return f;
}

static void ingest_on_deadline(uv_timer_t *t)
{
    struct ingest_forwarder *f = t->data;
    for (size_t i = 0; i < f->count; i++) {
        struct ingest_endpoint *e = f->endpoints[i];
        if (e->call)
            http_cancel(TAKE_PTR(e->call));
        e->sent = NULL;
        list_each(&e->queue, node) ingest_drop(e, list_entry(node, struct ingest_item, node), PUSH_DROP_SHUTDOWN);
    }
    ingest_end_drain(f);
}

void ingest_forwarder_drain(struct ingest_forwarder *f, int64_t timeout_ms, void (*done)(void *arg), void *arg)
{
    f->drained = done;
    f->drained_arg = arg;
    f->deadline = xcalloc(1, sizeof *f->deadline);
    uv_timer_init(f->env.loop, f->deadline);
    f->deadline->data = f;
    uv_timer_start(f->deadline, ingest_on_deadline, (uint64_t)timeout_ms, 0);
    for (size_t i = 0; i < f->count; i++) {
        f->endpoints[i]->is_draining = true;
        ingest_spill(f->endpoints[i]); /* before anything is tried */
    }
    f->draining = f->beginning = true; /* no end before all have begun */
    for (size_t i = 0; i < f->count; i++)
        ingest_pump(f->endpoints[i]);
    f->beginning = false;
    ingest_end_drain(f);
}

void ingest_forwarder_free(struct ingest_forwarder *f)
{
    if (!f)
        return;
    for (size_t i = 0; i < f->count; i++)
        ingest_endpoint_free(f->endpoints[i]);
    if (f->deadline)
        uv_close((uv_handle_t *)f->deadline, ingest_on_timer_closed);
    http_client_put(f->http);
    free(f->endpoints);
    args_unref(f->args);
    free(f);
}
