#include "components/pyroscope_write_sender.h"

#include <errno.h>
#include <stdlib.h>
#include <time.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/metric.h"
#include "components/pyroscope_write_sender_settle.h"
#include "components/pyroscope_write_sender_spill.h"
#include "flow/dropped.h"
#include "graph/measured.h"
#include "net/url.h"

enum { WARN_AGAIN_S = 60 };
/* What shares one request: a JVM's profiles of one interval, more when a backlog is sent. */
enum { BATCH_PROFILES = 32, BATCH_BYTES = 1 << 20 };

static void sender_pump(struct sender *s);

static void sender_on_dropped(void *ctx, const struct push_item *item, enum push_drop why)
{
    struct sender *s = ctx;
    if (sender_forget_copy(s, item, why == PUSH_DROP_SHUTDOWN))
        return;
    s->lost++;
    s->lost_at_drain += why == PUSH_DROP_SHUTDOWN;
    metric_add(&dropped_profiles_total, 1, push_drop_name(why));
    sender_count_dropped(s, item);
    sender_observe_item(s, item);
}

void sender_count_invalid(const char *component_id, const char *reason)
{
    static int64_t said_ns;
    metric_add(&dropped_profiles_total, 1, push_drop_name(PUSH_DROP_INVALID_LABELS));
    if (said_ns && sender_now_ns() - said_ns < WARN_AGAIN_S * NS_PER_SEC)
        return;
    said_ns = sender_now_ns();
    log_warn("profile dropped", L_COMPONENT(component_id), L_STR("err", reason));
}

/* --- settings --- */

static int sender_make_headers(const struct string_map *from, char ***ret, struct err *err)
{
    char **headers = xcalloc(from->len + 1, sizeof *headers);
    *ret = headers;
    for (size_t i = 0; i < from->len; i++) {
        const struct string_pair *h = &from->items[i];
        int code = header_line(str_of(h->name), str_of(h->value), &headers[i], err);
        if (code < 0)
            return code;
    }
    return 0;
}

int sender_settings_new(const struct write_endpoint_args *args, struct sender_settings **ret, struct err *err)
{
    cleanup_http_url struct http_url url = {0};
    int code = http_url_parse(args->url, &url, err);
    if (code < 0)
        return code;
    struct sender_settings *set = xcalloc(1, sizeof *set);
    set->args = args;
    set->label = TAKE_PTR(url.bare);
    set->shown = *args->name ? xasprintf("%s (%s)", args->name, set->label) : xstrdup(set->label);
    set->http_open = HTTP_SETTINGS_OPEN_INIT;
    code = sender_make_headers(&args->headers, &set->headers, err);
    if (code == 0)
        code = http_settings_open(&args->http, &set->http_open, err);
    if (code < 0) {
        sender_settings_free(set);
        return code;
    }
    *ret = set;
    return 0;
}

void sender_settings_free(struct sender_settings *set)
{
    if (!set)
        return;
    http_settings_close(&set->http_open);
    for (char **h = set->headers; h && *h; h++)
        free(*h);
    free(set->headers);
    free(set->label);
    free(set->shown);
    free(set);
}

static void sender_use(struct sender *s, struct sender_settings *set)
{
    s->set = set;
    s->args = set->args;
    s->label = set->label;
    sender_open_spool(s);
    /* Without a limit of attempts profiles wait until they are taken, or until there is no more room. */
    s->queue.max_age_ns = s->args->max_backoff_retries && !s->spool ? SENDER_QUEUE_AGE_S * NS_PER_SEC : INT64_MAX;
}

struct sender *sender_new(const struct sender_env *env, struct sender_settings *set)
{
    struct sender *s = xcalloc(1, sizeof *s);
    s->env = *env;
    s->pump = sender_pump;
    measured_labels(env->component_id, &s->path, &s->local_id);
    push_queue_init(&s->queue, SENDER_QUEUE_BYTES, SENDER_QUEUE_AGE_S * NS_PER_SEC, sender_on_dropped, s);
    for (size_t i = 0; i < SENDER_IN_FLIGHT; i++) {
        s->flights[i].sender = s;
        list_init(&s->flights[i].items);
    }
    list_init(&s->fitting);
    s->trouble.component_id = env->component_id;
    sender_use(s, set);
    push_backoff_reset(&s->backoff, s->args->min_backoff_period, s->args->max_backoff_period);
    return s;
}

const struct write_endpoint_args *sender_args(const struct sender *s)
{
    return s->args;
}

/* --- what happened --- */

static void sender_on_timer(uv_timer_t *t);

static void sender_set_timer(struct sender *s, int64_t wait_ns)
{
    if (!s->timer) {
        s->timer = xcalloc(1, sizeof *s->timer);
        uv_timer_init(s->env.loop, s->timer);
        s->timer->data = s;
    }
    /* Rounded up: a probe must not come before its time. */
    uv_update_time(s->env.loop);
    uv_timer_start(s->timer, sender_on_timer, (uint64_t)((wait_ns + NS_PER_MS - 1) / NS_PER_MS), 0);
}

static void sender_on_pushed(void *arg, const struct push_outcome *o)
{
    struct flight *f = arg;
    struct sender *s = f->sender;
    s->in_flight--;
    write_latency_observe(s->local_id, s->path, s->label, WRITE_LATENCY_DOWNSTREAM, sender_now_ns() - f->begun_ns);
    sender_settle(f, o);
    sender_pump(s);
}

/* --- sending --- */

static struct flight *sender_free_flight(struct sender *s)
{
    for (size_t i = 0; i < SENDER_IN_FLIGHT; i++) {
        if (!s->flights[i].len)
            return &s->flights[i];
    }
    return NULL;
}

/* One series per profile and, behind them in the same block, the profiles and IDs they point to. */
static struct series *sender_make_series(const struct flight *f)
{
    struct series *series = xmalloc(f->len * (sizeof *series + 2 * sizeof(struct str))), *at = series;
    struct str *profile = (struct str *)(series + f->len), *id = profile + f->len;
    list_each(&f->items, node)
    {
        const struct push_item *item = list_entry(node, struct push_item, node);
        const size_t labels = labels_len(item->labels);
        *profile = (struct str){(const char *)item->profile->pprof, item->profile->len};
        *id = str_of(item->profile->id);
        *at++ = (struct series){labels ? labels_at(item->labels, 0) : NULL, labels, profile++, 1, id++};
    }
    return series;
}

static int sender_start_push(struct sender *s, struct flight *f, struct err *err)
{
    const struct write_endpoint_args *a = s->args;
    cleanup_free char *authorization = NULL;
    int code = http_settings_authorization(&a->http, &authorization, err);
    if (code < 0)
        return code;
    cleanup_free struct series *series = sender_make_series(f);
    if (!s->http)
        s->http = http_client_get(s->env.loop);
    const struct push_endpoint e = {
        .url = a->url,
        .headers = (const char *const *)s->set->headers,
        .authorization = authorization,
        .extra = (const char *const *)a->http.http_headers.lines,
        .version = s->env.version,
        .timeout_ms = a->remote_timeout / NS_PER_MS,
        .follow_redirects = a->http.follow_redirects,
        .http2 = a->http.enable_http2,
        .retry_429 = a->retry_on_http_429,
        .proxy = s->set->http_open.proxy,
        .tls = s->set->http_open.tls,
        .authorizer = oauth2_authorizer(s->set->http_open.oauth2),
    };
    return push_client_start(s->http, &e, series, f->len, sender_on_pushed, f, &f->push, err);
}

static void sender_send_batch(struct sender *s, struct flight *f)
{
    struct err err = {0};
    list_each(&f->items, node)
    {
        if (list_entry(node, struct push_item, node)->attempts)
            sender_count_retry(s);
    }
    f->begun_ns = sender_now_ns();
    int code = sender_start_push(s, f, &err);
    if (code == 0) {
        s->in_flight++;
        return;
    }
    struct push_outcome o = {.result = code == -E2BIG ? PUSH_REJECTED : PUSH_RETRY, .failure = HTTP_NO_CONNECTION};
    snprintf(o.reason, sizeof o.reason, "%s", err.text);
    sender_settle(f, &o);
}

static void sender_end_drain(struct sender *s)
{
    if (s->in_flight || s->queue.len || !list_empty(&s->fitting) || !s->drained ||
        (s->spool && !write_spool_is_idle(s->spool)))
        return;
    uv_timer_stop(s->timer);
    s->state = SENDER_STOPPED;
    if (s->lost_at_drain)
        log_warn("profiles lost at shutdown", L_COMPONENT(s->env.component_id), L_STR("endpoint", s->set->shown),
                 L_INT("count", s->lost_at_drain), L_STR("err", s->trouble.last_error));
    if (s->spool_told.waiting)
        log_info("profiles kept on disk at shutdown", L_COMPONENT(s->env.component_id),
                 L_STR("endpoint", s->set->shown), L_INT("count", s->spool_told.waiting));
    void (*drained)(void *arg) = s->drained;
    s->drained = NULL;
    drained(s->drained_arg); /* may free the sender */
}

/* While the endpoint is down or suspected to be, one request at a time. */
static struct flight *sender_next_flight(struct sender *s)
{
    const bool careful = (s->is_down || s->suspect) && !s->draining;
    return s->in_flight < (careful ? 1 : SENDER_IN_FLIGHT) ? sender_free_flight(s) : NULL;
}

static size_t sender_take(struct sender *s, struct flight *f)
{
    const int64_t now = sender_now_ns();
    return s->is_down && !s->draining ? push_queue_take_probe(&s->queue, now, &f->items)
                                      : push_queue_take(&s->queue, now, BATCH_PROFILES, BATCH_BYTES, &f->items);
}

/* When the next push is due that nothing else will start: 0 = none. */
static int64_t sender_due_ns(const struct sender *s)
{
    if (s->draining || s->state == SENDER_STOPPED || !s->queue.len)
        return 0;
    if (s->wait_until_ns)
        return s->wait_until_ns;
    const int64_t next = s->in_flight ? INT64_MAX : push_queue_next_ns(&s->queue);
    return next == INT64_MAX ? 0 : next;
}

static void sender_set_due(struct sender *s)
{
    if (s->draining || s->state == SENDER_STOPPED)
        return;
    const int64_t push = sender_due_ns(s), spill = sender_spill_due_ns(s), now = sender_now_ns();
    const int64_t due = spill != INT64_MAX && (!push || spill < push) ? spill : push;
    if (due)
        sender_set_timer(s, due > now ? due - now : 0);
    else if (s->timer)
        uv_timer_stop(s->timer);
}

/* Starts what may be started now. */
static void sender_pump(struct sender *s)
{
    if (s->wait_until_ns && s->wait_until_ns <= sender_now_ns())
        s->wait_until_ns = 0;
    while (s->state != SENDER_STOPPED && !s->wait_until_ns) {
        struct flight *f = sender_next_flight(s);
        if (!f)
            break;
        f->len = sender_take(s, f);
        if (!f->len)
            break;
        sender_send_batch(s, f);
    }
    sender_spill(s);
    sender_publish_queue(s);
    sender_set_due(s);
    if (s->draining)
        sender_end_drain(s);
}

static void sender_cancel_flights(struct sender *s)
{
    for (size_t i = 0; i < SENDER_IN_FLIGHT; i++) {
        struct flight *f = &s->flights[i];
        if (!f->len)
            continue;
        push_client_cancel(f->push);
        for (struct push_item *item; (item = sender_first_item(&f->items));)
            push_queue_drop(&s->queue, item, PUSH_DROP_SHUTDOWN);
        f->len = 0;
        f->push = NULL;
        s->in_flight--;
    }
}

static void sender_on_timer(uv_timer_t *t)
{
    struct sender *s = t->data;
    if (s->draining) {
        if (!s->trouble.last_error[0])
            write_trouble_set_error(&s->trouble, "timeout");
        sender_cancel_flights(s);
        sender_cancel_fitting(s);
        push_queue_clear(&s->queue, PUSH_DROP_SHUTDOWN);
    }
    sender_pump(s);
}

void sender_update(struct sender *s, struct sender_settings *set)
{
    struct sender_settings *old = s->set;
    bool changed = !schema_equal(&write_endpoint_schema, old->args, set->args);
    sender_use(s, set);
    sender_settings_free(old);
    if (!changed)
        return;
    push_backoff_reset(&s->backoff, s->args->min_backoff_period, s->args->max_backoff_period);
    push_queue_wake(&s->queue);
    s->wait_until_ns = 0;
    s->is_down = false;
    s->suspect = 0;
    s->labels_fit = (struct push_limit){0};
    sender_pump(s);
}

static void sender_on_gathered(uv_prepare_t *h)
{
    uv_prepare_stop(h);
    sender_pump(h->data);
}

/* Before the loop waits again, that is, when all profiles of a conversion are here. */
static void sender_pump_soon(struct sender *s)
{
    if (!s->gathered) {
        s->gathered = xcalloc(1, sizeof *s->gathered);
        uv_prepare_init(s->env.loop, s->gathered);
        s->gathered->data = s;
    }
    uv_prepare_start(s->gathered, sender_on_gathered);
}

void sender_append(struct sender *s, const struct labels *labels, struct encoded_profile *p,
                   struct write_latency *latency)
{
    struct labels *fewer = s->labels_fit.kind ? write_fit_labels(labels, s->labels_fit) : NULL;
    struct push_item *item = push_queue_add(&s->queue, fewer ? fewer : labels, p, sender_now_ns());
    labels_unref(fewer);
    if (item && latency)
        item->latency = write_latency_ref(latency);
    if (s->state == SENDER_STOPPED)
        push_queue_clear(&s->queue, PUSH_DROP_SHUTDOWN);
    else
        sender_pump_soon(s);
    sender_publish_queue(s);
}

void sender_drain(struct sender *s, int64_t timeout_ms, void (*done)(void *arg), void *arg)
{
    s->draining = s->queue.ignores_waits = true;
    s->drained = done;
    s->drained_arg = arg;
    s->wait_until_ns = 0;
    sender_set_timer(s, timeout_ms * NS_PER_MS);
    sender_spill(s);
    sender_pump(s);
}

static void sender_free_handle(uv_handle_t *h)
{
    free(h);
}

void sender_free(struct sender *s)
{
    if (!s)
        return;
    sender_cancel_flights(s);
    sender_cancel_fitting(s);
    push_queue_clear(&s->queue, PUSH_DROP_SHUTDOWN);
    sender_publish_queue(s);
    sender_forget_queue(s);
    sender_close_spool(s);
    if (s->timer)
        uv_close((uv_handle_t *)s->timer, sender_free_handle);
    if (s->gathered)
        uv_close((uv_handle_t *)s->gathered, sender_free_handle);
    http_client_put(s->http);
    sender_settings_free(s->set);
    free(s->path);
    free(s);
}

void sender_view(const struct sender *s, struct sender_view *ret)
{
    const int64_t due = sender_due_ns(s), wait = due - sender_now_ns();
    *ret = (struct sender_view){
        .state = s->state,
        .endpoint = s->label,
        .queued_profiles = s->queue.len,
        .queued_bytes = s->queue.bytes,
        .in_flight = s->in_flight,
        .spooled_profiles = s->spool_told.waiting,
        .spooled_bytes = s->spool_told.bytes,
        .last_error = s->trouble.last_error,
        .last_error_s = s->trouble.last_error_s,
        .last_success_s = s->last_success_s,
        .next_s = due ? time(NULL) + (wait > 0 ? wait / NS_PER_SEC : 0) : 0,
    };
}
