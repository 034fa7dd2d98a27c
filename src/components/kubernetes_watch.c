#include "components/kubernetes_watch.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/hash.h"
#include "base/mem.h"
#include "kubernetes/kube_items.h"
#include "kubernetes/kube_object.h"

enum {
    PAGE = 500,             /* objects per answer, where the server does not answer from its cache */
    LIST_MS = 120 * 1000,   /* for one page */
    WATCH_LEAST_S = 300,    /* the server ends a watch after this long to twice as long */
    WATCH_SPARE_MS = 30000, /* and is given up after this much more */
    BACKOFF_MS = 800,
    BACKOFF_MOST_MS = 30000,
    HEALTHY_MS = 120 * 1000, /* without a failure: the backoff begins anew */
    SETTLED_MS = 5000,       /* a watch that was not refused for this long works */
    SHORT_MS = 1000,         /* a watch that ends sooner without an event must not be resumed at once */
    RESUMES_MOST = 3,        /* in a row that fail, until it is listed again */
    ERROR_MAX = 4096,        /* bytes kept of an error */
    QUERY_MAX = 64 << 10,
    STATUS_OK = 200,
    STATUS_GONE = 410,
};

struct kubernetes_watch {
    struct kubernetes_watch_options o; /* texts owned */
    struct http_client *client;
    struct http_call *call;
    uv_timer_t *timer;
    struct kube_items items;
    bool is_listing;
    bool is_exact;      /* the server's cache is not recent enough for the list */
    char *version;      /* resource version to watch from; NULL: list */
    char *list_version; /* of the list under way */
    char *next;         /* the list goes on from there; NULL: it is the first page, or complete */
    int event_code;     /* of an ERROR event; 0 = none */
    char *event_message;
    size_t event_count; /* of this watch */
    uint64_t begun_ms, failed_ms;
    unsigned failures;
    bool is_troubled; /* the last thing said about health */
};

static void kube_watch_begin(struct kubernetes_watch *w);

void kubernetes_query(struct buf *out, const char *text)
{
    for (const char *c = text; *c; c++) {
        if ((*c >= 'a' && *c <= 'z') || (*c >= 'A' && *c <= 'Z') || (*c >= '0' && *c <= '9') || strchr("-._~", *c))
            buf_byte(out, (uint8_t)*c);
        else
            buf_printf(out, "%%%02X", (unsigned)(uint8_t)*c);
    }
}

static void kube_watch_set(char **text, char *to)
{
    free(*text);
    *text = to;
}

/* --- failures --- */

static void kube_watch_works(struct kubernetes_watch *w)
{
    if (w->is_troubled)
        w->o.events->health(w->o.arg, NULL);
    w->is_troubled = false;
}

static void kube_watch_on_timer(uv_timer_t *timer)
{
    struct kubernetes_watch *w = timer->data;
    if (w->call)
        kube_watch_works(w); /* SETTLED_MS are over */
    else
        kube_watch_begin(w);
}

/* Uniform in [b, 2b). */
static uint64_t kube_watch_backoff(struct kubernetes_watch *w, int64_t least_ms)
{
    const uint64_t now = uv_now(w->o.loop);
    if (now - w->failed_ms > HEALTHY_MS)
        w->failures = 0;
    w->failed_ms = now;
    uint64_t wait = BACKOFF_MS;
    for (unsigned i = 0; i < w->failures && wait < BACKOFF_MOST_MS; i++)
        wait *= 2;
    w->failures++;
    wait = wait < BACKOFF_MOST_MS ? wait : BACKOFF_MOST_MS;
    wait += hash_number(uv_hrtime()) % wait;
    return least_ms > 0 && (uint64_t)least_ms > wait ? (uint64_t)least_ms : wait;
}

static void kube_watch_again(struct kubernetes_watch *w, int64_t least_ms)
{
    uv_timer_start(w->timer, kube_watch_on_timer, kube_watch_backoff(w, least_ms), 0);
}

static void kube_watch_fail(struct kubernetes_watch *w, const char *why, int64_t least_ms)
{
    w->is_troubled = true;
    kube_watch_again(w, least_ms);
    w->o.events->health(w->o.arg, why);
}

/* The server has forgotten the version: that is no failure, but must not become a busy loop either. */
static void kube_watch_relist(struct kubernetes_watch *w)
{
    kube_watch_set(&w->version, NULL);
    kube_watch_set(&w->next, NULL);
    kube_watch_again(w, 0);
}

/* --- list --- */

static void kube_watch_keep_metadata(struct kubernetes_watch *w, const json_t *metadata)
{
    const struct str version = kube_str(metadata, "resourceVersion"), next = kube_str(metadata, "continue");
    kube_watch_set(&w->list_version, str_dup(version));
    kube_watch_set(&w->next, next.n ? str_dup(next) : NULL);
}

static void kube_watch_on_listed(struct kubernetes_watch *w, const struct http_response *r)
{
    if (r->status == STATUS_GONE) {
        w->is_exact = true;
        kube_watch_relist(w);
        return;
    }
    if (r->status != STATUS_OK || !kube_items_complete(&w->items) || !w->list_version) {
        cleanup_free char *why =
            r->status == STATUS_OK ? xstrdup("the list is incomplete") : kubernetes_access_failure(r);
        kube_watch_set(&w->next, NULL);
        kube_watch_fail(w, why, r->retry_after_ms);
        return;
    }
    if (!w->next) {
        kube_watch_set(&w->version, TAKE_PTR(w->list_version));
        w->is_exact = false;
        w->o.events->synced(w->o.arg);
    }
    kube_watch_begin(w);
}

/* --- watch --- */

static void kube_watch_take_event(struct kubernetes_watch *w, const json_t *event)
{
    const struct str type = kube_str(event, "type");
    json_t *object = kube_get(event, "object");
    int64_t code = 0;
    if (str_is(type, "ERROR")) {
        (void)kube_has_int(object, "code", &code);
        const bool is_gone = code == STATUS_GONE || str_is(kube_str(object, "reason"), "Expired");
        w->event_code = is_gone ? STATUS_GONE : code > 0 ? (int)code : -1;
        kube_watch_set(&w->event_message, str_dup(kube_str(object, "message")));
        return;
    }
    const struct str version = kube_str(kube_get(object, "metadata"), "resourceVersion");
    cleanup_free char *copy = str_dup(version);
    w->event_count++;
    if (!str_is(type, "BOOKMARK"))
        w->o.events->object(w->o.arg, object, !str_is(type, "DELETED"));
    if (version.n)
        kube_watch_set(&w->version, TAKE_PTR(copy));
}

/* An error in the stream ends it; so does an answer that is no JSON. */
static void kube_watch_end_stream(struct kubernetes_watch *w)
{
    if (w->call)
        http_cancel(TAKE_PTR(w->call));
    kube_items_done(&w->items);
    if (w->event_code == STATUS_GONE) {
        kube_watch_relist(w);
        return;
    }
    cleanup_free char *why =
        w->event_code
            ? xasprintf("watch: %s", w->event_message && *w->event_message ? w->event_message : "unknown error")
            : xstrdup("the answer is not JSON");
    kube_watch_set(&w->version, NULL);
    kube_watch_fail(w, why, 0);
}

static void kube_watch_on_ended(struct kubernetes_watch *w, const struct http_response *r)
{
    const uint64_t ran_ms = uv_now(w->o.loop) - w->begun_ms;
    const bool is_short = ran_ms < SHORT_MS && !w->event_count;
    if (r->status == STATUS_GONE) {
        kube_watch_relist(w);
    } else if (r->status && r->status != STATUS_OK) {
        cleanup_free char *why = kubernetes_access_failure(r);
        /* A version from before the cluster was restored is answered with 504. */
        if ((r->status < 500 && r->status != 429) || w->failures >= RESUMES_MOST)
            kube_watch_set(&w->version, NULL);
        kube_watch_fail(w, why, r->retry_after_ms);
    } else if (r->status || w->event_count || ran_ms >= SETTLED_MS) {
        /* It was to end some time, or something in between did so. */
        if (is_short || !r->status)
            kube_watch_again(w, 0);
        else
            kube_watch_begin(w);
    } else {
        kube_watch_fail(w, *r->error ? r->error : "the connection was lost", 0);
    }
}

/* --- both --- */

static void kube_watch_take(void *arg, enum kube_item_kind kind, struct str text)
{
    struct kubernetes_watch *w = arg;
    json_t *json = w->event_code ? NULL : json_loadb(text.p, text.n, 0, NULL);
    if (kind == KUBE_METADATA)
        kube_watch_keep_metadata(w, json);
    else if (json && w->is_listing)
        w->o.events->object(w->o.arg, json, true);
    else if (json)
        kube_watch_take_event(w, json);
    json_decref(json);
}

static void kube_watch_on_piece(void *arg, int status, struct str bytes)
{
    struct kubernetes_watch *w = arg;
    if (status != STATUS_OK)
        return; /* the error is in the answer */
    if (kube_items_feed(&w->items, bytes) < 0 || w->event_code)
        kube_watch_end_stream(w);
    else if (!w->is_listing)
        kube_watch_works(w);
}

static void kube_watch_on_done(void *arg, const struct http_response *r)
{
    struct kubernetes_watch *w = arg;
    w->call = NULL;
    if (w->is_listing)
        kube_watch_on_listed(w, r);
    else
        kube_watch_on_ended(w, r);
}

static void kube_watch_put_query(const struct kubernetes_watch *w, struct buf *out)
{
    const unsigned seconds = WATCH_LEAST_S + hash_number(uv_hrtime()) % WATCH_LEAST_S;
    buf_puts(out, w->o.path);
    if (!w->is_listing) {
        buf_printf(out, "?watch=true&allowWatchBookmarks=true&timeoutSeconds=%u&resourceVersion=", seconds);
        kubernetes_query(out, w->version);
    } else {
        buf_printf(out, "?limit=%d", PAGE);
        if (w->next) {
            buf_puts(out, "&continue=");
            kubernetes_query(out, w->next);
        } else if (!w->is_exact) {
            buf_puts(out, "&resourceVersion=0");
        }
    }
    const char *const selectors[][2] = {{"labelSelector", w->o.label}, {"fieldSelector", w->o.field}};
    for (size_t i = 0; i < ARRAY_LEN(selectors); i++) {
        if (!*selectors[i][1])
            continue;
        buf_printf(out, "&%s=", selectors[i][0]);
        kubernetes_query(out, selectors[i][1]);
    }
}

/* Asks for what is missing: the list, its next page, or changes. */
static void kube_watch_begin(struct kubernetes_watch *w)
{
    cleanup_buf struct buf path = BUF_INIT(QUERY_MAX);
    struct err err = {0};
    w->is_listing = !w->version;
    w->event_code = 0;
    w->event_count = 0;
    w->begun_ms = uv_now(w->o.loop);
    kube_items_done(&w->items);
    kube_items_init(&w->items, w->is_listing ? KUBE_LIST : KUBE_WATCH, kube_watch_take, w);
    if (w->is_listing && !w->next)
        w->o.events->begin(w->o.arg);
    kube_watch_put_query(w, &path);
    const struct kubernetes_request req = {
        .path = buf_cstr(&path),
        .version = w->o.version,
        .timeout_ms = w->is_listing ? LIST_MS : 2 * WATCH_LEAST_S * 1000 + WATCH_SPARE_MS,
        .response_max = ERROR_MAX,
        .piece = kube_watch_on_piece,
        .done = kube_watch_on_done,
        .arg = w,
    };
    if (kubernetes_access_get(w->o.access, w->client, &req, &w->call, &err) < 0)
        kube_watch_fail(w, err.text, 0);
    else if (!w->is_listing)
        uv_timer_start(w->timer, kube_watch_on_timer, SETTLED_MS, 0);
}

struct kubernetes_watch *kubernetes_watch_new(const struct kubernetes_watch_options *o)
{
    struct kubernetes_watch *w = xcalloc(1, sizeof *w);
    w->o = *o;
    w->o.path = xstrdup(o->path);
    w->o.label = xstrdup(o->label);
    w->o.field = xstrdup(o->field);
    w->client = http_client_get(o->loop);
    w->timer = xcalloc(1, sizeof *w->timer);
    uv_timer_init(o->loop, w->timer);
    w->timer->data = w;
    uv_timer_start(w->timer, kube_watch_on_timer, 0, 0);
    return w;
}

static void kube_watch_on_timer_closed(uv_handle_t *timer)
{
    free(timer);
}

void kubernetes_watch_free(struct kubernetes_watch *w)
{
    if (!w)
        return;
    if (w->call)
        http_cancel(w->call);
    uv_close((uv_handle_t *)w->timer, kube_watch_on_timer_closed);
    http_client_put(w->client);
    kube_items_done(&w->items);
    free(w->version);
    free(w->list_version);
    free(w->next);
    free(w->event_message);
    free((char *)w->o.path);
    free((char *)w->o.label);
    free((char *)w->o.field);
    free(w);
}
