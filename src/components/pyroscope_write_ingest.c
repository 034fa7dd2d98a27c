#include "components/pyroscope_write_ingest.h"

#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "base/list.h"
#include "base/log.h"
#include "base/mem.h"
#include "components/pyroscope_write_backoff.h"
#include "components/pyroscope_write_queue.h"
#include "flow/dropped.h"
#include "graph/args.h"
#include "net/url.h"
#include "pyroscope/push_client.h"

enum { NAME_MAX_BYTES = 1 << 20, ANSWER_MAX = 2048, STATUS_TIMEOUT = 408, STATUS_LIMITED = 429, STATUS_SERVER = 500 };

static struct metric_family ingests = {.name = "smolder_ingests_total",
                                       .help = "Requests to /ingest, by endpoint and result: ok, retry or rejected.",
                                       .kind = METRIC_COUNTER,
                                       .labels = {"endpoint", "result"}};

struct ingest_item {
    struct list node;
    struct ingest_body *body; /* one reference */
    char *name;               /* the parameter, encoded */
    int64_t since_ns, attempts;
};

struct ingest_endpoint {
    struct ingest_forwarder *owner;
    const struct write_endpoint_args *args; /* of the owner's */
    char *label;                            /* URL without user and password */
    struct list queue;                      /* struct ingest_item; the first one is being sent while there is a call */
    size_t bytes;
    struct http_call *call; /* NULL: none is under way */
    struct http_settings_open opened;
    struct str piece; /* the body of the call */
    struct push_backoff backoff;
    uv_timer_t *timer; /* NULL: has never waited */
    bool waiting, troubled;
};

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

static void ingest_item_free(struct ingest_endpoint *e, struct ingest_item *i)
{
    list_del(&i->node);
    e->bytes -= i->body->len;
    ingest_body_unref(i->body);
    free(i->name);
    free(i);
}

static void ingest_drop(struct ingest_endpoint *e, struct ingest_item *i, enum push_drop why)
{
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
    const int64_t now = clock_ns();
    bool first = true;
    list_each(&e->queue, node)
    {
        struct ingest_item *i = list_entry(node, struct ingest_item, node);
        const bool sent = first && e->call;
        first = false;
        if (sent)
            continue;
        if (e->bytes > INGEST_QUEUE_BYTES)
            ingest_drop(e, i, PUSH_DROP_QUEUE_FULL);
        else if (now - i->since_ns > INGEST_QUEUE_AGE_S * NS_PER_SEC)
            ingest_drop(e, i, PUSH_DROP_TOO_OLD);
    }
}

/* --- requests --- */

static void ingest_put_text(struct buf *out, struct str text)
{
    cleanup_buf struct buf plain = BUF_INIT(NAME_MAX_BYTES);
    for (size_t i = 0; i < text.n; i++)
        buf_byte(&plain, text.p[i] == ',' || text.p[i] == '}' ? '_' : (uint8_t)text.p[i]);
    http_url_encode(out, buf_slice(&plain));
}

/* "shop{pod=a,region=eu}", encoded; to be freed. NULL: too long. */
static char *ingest_name(const struct labels *labels)
{
    struct buf out = BUF_INIT(NAME_MAX_BYTES);
    bool any = false;
    http_url_encode(&out, labels_get(labels, STR("__name__")));
    http_url_encode(&out, STR("{"));
    for (size_t i = 0; i < labels_len(labels); i++) {
        const struct label *l = labels_at(labels, i);
        if (str_has_prefix(l->name, STR("__")))
            continue;
        if (any)
            http_url_encode(&out, STR(","));
        any = true;
        http_url_encode(&out, l->name);
        http_url_encode(&out, STR("="));
        ingest_put_text(&out, l->value);
    }
    http_url_encode(&out, STR("}"));
    size_t len;
    char *name = (char *)buf_take(&out, &len);
    buf_done(&out);
    return name;
}

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

static int ingest_headers_make(const struct ingest_endpoint *e, const struct ingest_body *b, struct ingest_headers *h,
                               struct err *err)
{
    const struct write_endpoint_args *a = e->args;
    cleanup_free char *authorization = NULL;
    bool has_own = false;
    int code = http_settings_authorization(&a->http, &authorization, err);
    ingest_header_add(h, xasprintf("User-Agent: smolder/%s", e->owner->env.version));
    if (*b->content_type)
        ingest_header_add(h, xasprintf("Content-Type: %s", b->content_type));
    for (size_t i = 0; i < a->headers.len && code == 0; i++) {
        const struct string_pair *p = &a->headers.items[i];
        if (push_client_reserves(str_of(p->name)))
            continue;
        has_own |= strcasecmp(p->name, "Authorization") == 0;
        ingest_header_add(h, xasprintf("%s: %s", p->name, p->value));
    }
    for (size_t i = 0; i < a->http.http_headers.len; i++)
        ingest_header_add(h, xstrdup(a->http.http_headers.lines[i]));
    if (authorization && !has_own)
        ingest_header_add(h, xasprintf("Authorization: %s", authorization));
    return code;
}

static char *ingest_url(const struct ingest_endpoint *e, const struct ingest_item *i)
{
    size_t n = strlen(e->args->url);
    while (n && e->args->url[n - 1] == '/')
        n--;
    return xasprintf("%.*s/ingest?name=%s%s%s", (int)n, e->args->url, i->name, *i->body->query ? "&" : "",
                     i->body->query);
}

static void ingest_on_answer(void *arg, const struct http_response *r);

static int ingest_start(struct ingest_endpoint *e, const struct ingest_item *i, struct err *err)
{
    struct ingest_headers headers = {0};
    int code = ingest_headers_make(e, i->body, &headers, err);
    if (code == 0)
        code = http_settings_open(&e->args->http, &e->opened, err);
    if (code < 0) {
        ingest_headers_done(&headers);
        return code;
    }
    if (!e->owner->http)
        e->owner->http = http_client_get(e->owner->env.loop);
    cleanup_free char *url = ingest_url(e, i);
    e->piece = (struct str){(const char *)i->body->bytes, i->body->len};
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
    return code;
}

static void ingest_pump(struct ingest_endpoint *e);

static void ingest_on_timer(uv_timer_t *t)
{
    struct ingest_endpoint *e = t->data;
    e->waiting = false;
    ingest_pump(e);
}

static void ingest_wait(struct ingest_endpoint *e, int64_t retry_after_ms)
{
    uint32_t random = 0;
    (void)uv_random(NULL, NULL, &random, sizeof random, 0, NULL);
    const int64_t most = INGEST_QUEUE_AGE_S * 1000;
    int64_t ms = push_backoff_next(&e->backoff, (double)random / 4294967296.0) / NS_PER_MS;
    if (retry_after_ms > ms)
        ms = retry_after_ms < most ? retry_after_ms : most;
    if (!e->timer) {
        e->timer = xcalloc(1, sizeof *e->timer);
        uv_timer_init(e->owner->env.loop, e->timer);
        e->timer->data = e;
    }
    e->waiting = true;
    uv_timer_start(e->timer, ingest_on_timer, (uint64_t)ms, 0);
}

static void ingest_begin_trouble(struct ingest_endpoint *e, const char *why)
{
    if (!e->troubled)
        log_warn("profiles cannot be passed on to /ingest", L_COMPONENT(e->owner->env.component_id),
                 L_STR("endpoint", e->label), L_STR("err", why));
    e->troubled = true;
}

static void ingest_succeed(struct ingest_endpoint *e, struct ingest_item *i)
{
    metric_add(&ingests, 1, e->label, "ok");
    if (e->troubled)
        log_info("passing on to /ingest works again", L_COMPONENT(e->owner->env.component_id),
                 L_STR("endpoint", e->label));
    e->troubled = false;
    push_backoff_reset(&e->backoff, e->args->min_backoff_period, e->args->max_backoff_period);
    ingest_item_free(e, i);
}

static void ingest_fail(struct ingest_endpoint *e, struct ingest_item *i, bool rejected, int64_t retry_after_ms,
                        const char *why)
{
    const int64_t most = e->args->max_backoff_retries;
    metric_add(&ingests, 1, e->label, rejected ? "rejected" : "retry");
    ingest_begin_trouble(e, why);
    if (rejected)
        ingest_drop(e, i, PUSH_DROP_REJECTED);
    else if (e->owner->draining)
        ingest_drop(e, i, PUSH_DROP_SHUTDOWN);
    else if (++i->attempts >= most && most > 0)
        ingest_drop(e, i, PUSH_DROP_RETRIES);
    if (!rejected && !e->owner->draining)
        ingest_wait(e, retry_after_ms);
}

static void ingest_on_answer(void *arg, const struct http_response *r)
{
    struct ingest_endpoint *e = arg;
    struct ingest_item *i = ingest_first(e);
    e->call = NULL;
    http_settings_close(&e->opened);
    if (r->status >= 200 && r->status < 300) {
        ingest_succeed(e, i);
    } else {
        const bool again = !r->status || r->status == STATUS_TIMEOUT || r->status >= STATUS_SERVER ||
                           (r->status == STATUS_LIMITED && e->args->retry_on_http_429);
        cleanup_free char *why =
            r->status ? xasprintf("HTTP status %d: %.*s", r->status, STR_ARG(str_trim(r->body))) : xstrdup(r->error);
        ingest_fail(e, i, !again, r->retry_after_ms, why);
    }
    ingest_pump(e);
}

static void ingest_end_drain(struct ingest_forwarder *f)
{
    for (size_t i = 0; i < f->count; i++)
        if (f->endpoints[i]->call || !list_empty(&f->endpoints[i]->queue))
            return;
    if (!f->drained || f->beginning)
        return;
    uv_timer_stop(f->deadline);
    void (*drained)(void *arg) = TAKE_PTR(f->drained);
    drained(f->drained_arg); /* may free the forwarder */
}

/* Starts what may be started now. */
static void ingest_pump(struct ingest_endpoint *e)
{
    ingest_make_room(e);
    for (struct ingest_item *i; !e->call && !e->waiting && (i = ingest_first(e));) {
        struct err err = {0};
        if (ingest_start(e, i, &err) < 0)
            ingest_fail(e, i, false, 0, err.text);
    }
    if (e->owner->draining)
        ingest_end_drain(e->owner);
}

void ingest_forwarder_append(struct ingest_forwarder *f, const struct labels *labels, struct ingest_body *body)
{
    for (size_t n = 0; n < f->count; n++) {
        struct ingest_endpoint *e = f->endpoints[n];
        char *name = ingest_name(labels);
        if (!name || f->draining) {
            metric_add(&dropped_profiles_total, 1,
                       push_drop_name(name ? PUSH_DROP_SHUTDOWN : PUSH_DROP_INVALID_LABELS));
            free(name);
            continue;
        }
        struct ingest_item *i = xcalloc(1, sizeof *i);
        *i = (struct ingest_item){.body = ingest_body_ref(body), .name = name, .since_ns = clock_ns()};
        list_push(&e->queue, &i->node);
        e->bytes += body->len;
        ingest_pump(e);
    }
}

/* --- endpoints --- */

static void ingest_endpoint_use(struct ingest_endpoint *e, const struct write_endpoint_args *args)
{
    cleanup_http_url struct http_url url = {0};
    struct err unused;
    e->args = args;
    free(e->label);
    e->label = http_url_parse(args->url, &url, &unused) == 0 ? TAKE_PTR(url.bare) : xstrdup("");
    push_backoff_reset(&e->backoff, args->min_backoff_period, args->max_backoff_period);
}

static struct ingest_endpoint *ingest_endpoint_new(struct ingest_forwarder *f, const struct write_endpoint_args *args)
{
    struct ingest_endpoint *e = xcalloc(1, sizeof *e);
    e->owner = f;
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
    list_each(&e->queue, node) ingest_drop(e, list_entry(node, struct ingest_item, node), PUSH_DROP_SHUTDOWN);
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
        f->endpoints[i]->waiting = false;
        if (f->endpoints[i]->timer)
            uv_timer_stop(f->endpoints[i]->timer);
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
