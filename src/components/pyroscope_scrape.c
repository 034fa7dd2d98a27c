/* pyroscope.scrape: requests profiles of Go and other programs over HTTP, and passes them on.
 *
 * One endpoint per profile of each target (pyroscope_scrape_jobs.h), requested every scrape_interval, at a point in the
 * interval that its hash determines; never two requests at a time. Endpoints that remain in an update keep what their
 * profiles are compared with. Profiles that count since the program's start are compared with the one before
 * (pprof/delta.h) by a worker; the first is not passed on.
 *
 * Targets are untrusted: an answer has SCRAPE_BODY_MAX bytes at most, and all that are being received together
 * SCRAPE_BODIES_MAX; what goes beyond is read and thrown away.
 *
 * Source: Alloy's page of pyroscope.scrape.
 */
#include <errno.h>
#include <stdlib.h>
#include <time.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "base/gzip.h"
#include "base/list.h"
#include "base/log.h"
#include "base/map.h"
#include "base/mem.h"
#include "base/work.h"
#include "components/env.h"
#include "components/fanout.h"
#include "components/pyroscope_scrape_args.h"
#include "components/pyroscope_scrape_jobs.h"
#include "components/pyroscope_scrape_reply.h"
#include "graph/component.h"
#include "pprof/delta.h"

enum { SCRAPE_BODY_MAX = 32 << 20, SCRAPE_BODIES_MAX = 64 << 20, SCRAPE_INFLATED_MAX = 64 << 20, GZIP_LEVEL = 3 };

struct scraper {
    struct component *self;
    struct component_env *env;
    const struct scrape_args *args; /* one reference */
    struct fanout fanout;
    struct http_settings_open opened;
    struct http_client *http;
    struct list endpoints; /* struct scrape_endpoint */
    size_t bodies;         /* bytes of all that are being received */
    char problem[ERR_MAX]; /* of targets, told last */
    bool started, stopping;
};

struct scrape_work;

struct scrape_endpoint {
    struct list node;
    struct scraper *owner;
    struct scrape_job job;
    uv_timer_t timer;
    struct http_call *call; /* NULL: none is under way */
    struct buf body;
    bool too_large;
    struct pprof_delta *delta; /* NULL: not compared, or with the worker */
    struct scrape_work *work;  /* NULL: none */
    bool wanted;               /* scratch of an update */
    int64_t begun_ns, took_ns, last_scrape_s;
    char last_error[ERR_MAX]; /* "" = good */
    bool scraped, troubled;
};

/* What a worker compares. */
struct scrape_work {
    uv_work_t work;
    struct scrape_endpoint *endpoint; /* NULL: gone */
    struct pprof_delta *delta;
    struct buf body, out;
    size_t counted; /* in the scraper's bodies */
    bool any;
    int code;
    struct err err;
};

/* --- results --- */

static void scrape_tell(struct scrape_endpoint *e, const char *why)
{
    struct scraper *s = e->owner;
    snprintf(e->last_error, sizeof e->last_error, "%s", why);
    e->scraped = true;
    e->took_ns = clock_ns() - e->begun_ns;
    if (*why && !e->troubled)
        log_warn("cannot scrape", L_COMPONENT(component_id(s->self)), L_STR("url", e->job.url), L_STR("err", why));
    if (!*why && e->troubled)
        log_info("scraping works again", L_COMPONENT(component_id(s->self)), L_STR("url", e->job.url));
    e->troubled = *why != '\0';
}

/* Takes the bytes. */
static void scrape_pass_on(struct scrape_endpoint *e, struct buf *body)
{
    struct scraper *s = e->owner;
    size_t len = 0;
    uint8_t *bytes = buf_take(body, &len);
    if (!bytes) {
        scrape_tell(e, "profile too large");
        return;
    }
    struct encoded_profile *p = encoded_profile_new(bytes, len, 1, 0, 0);
    struct labels *labels = labels_ref(e->job.labels);
    scrape_tell(e, "");
    fanout_send(&s->fanout, &s->args->forward_to, labels, p);
    component_sent(s->self, 1);
    labels_unref(labels);
    encoded_profile_unref(p);
}

/* --- comparing, in a worker --- */

static void scrape_work_run(uv_work_t *work)
{
    struct scrape_work *w = work->data;
    cleanup_buf struct buf plain = BUF_INIT(SCRAPE_INFLATED_MAX), changed = BUF_INIT(SCRAPE_INFLATED_MAX);
    struct str in = buf_slice(&w->body);
    if (in.n > 2 && memcmp(in.p, "\x1f\x8b", 2) == 0) {
        w->code = gzip_inflate(in, &plain, &w->err);
        in = buf_slice(&plain);
    }
    if (w->code == 0)
        w->code = pprof_delta_take(w->delta, in, &changed, &w->any, &w->err);
    if (w->code == 0 && w->any && gzip_deflate(buf_slice(&changed), GZIP_LEVEL, &w->out) < 0)
        w->code = err_set(&w->err, -EMSGSIZE, "profile too large");
}

static void scrape_work_end(uv_work_t *work, int status)
{
    (void)status;
    struct scrape_work *w = work->data;
    struct scrape_endpoint *e = w->endpoint;
    if (e) {
        e->work = NULL;
        e->owner->bodies -= w->counted;
        e->delta = TAKE_PTR(w->delta);
        if (w->code < 0)
            scrape_tell(e, w->err.text);
        else if (w->any)
            scrape_pass_on(e, &w->out);
        else
            scrape_tell(e, "");
    }
    pprof_delta_free(w->delta);
    buf_done(&w->body);
    buf_done(&w->out);
    free(w);
}

static void scrape_compare(struct scrape_endpoint *e)
{
    struct scrape_work *w = e->work = xcalloc(1, sizeof *w);
    *w = (struct scrape_work){
        .endpoint = e, .delta = TAKE_PTR(e->delta), .body = e->body, .out = BUF_INIT(SCRAPE_BODY_MAX)};
    w->counted = e->body.len;
    e->body = BUF_INIT(SCRAPE_BODY_MAX);
    w->work.data = w;
    work_queue(e->owner->env->loop, &w->work, scrape_work_run, scrape_work_end);
}

/* --- requests --- */

static void scrape_drop_body(struct scrape_endpoint *e)
{
    e->owner->bodies -= e->body.len;
    buf_done(&e->body);
    e->body = BUF_INIT(SCRAPE_BODY_MAX);
}

static void scrape_on_piece(void *arg, int status, struct str bytes)
{
    (void)status; /* the body of an error is short, and told */
    struct scrape_endpoint *e = arg;
    struct scraper *s = e->owner;
    if (e->too_large)
        return;
    if (bytes.n > SCRAPE_BODY_MAX - e->body.len || s->bodies + bytes.n > SCRAPE_BODIES_MAX) {
        e->too_large = true;
        scrape_drop_body(e);
        return;
    }
    buf_str(&e->body, bytes);
    s->bodies += bytes.n;
}

static void scrape_on_answer(void *arg, const struct http_response *r)
{
    struct scrape_endpoint *e = arg;
    struct err err = {0};
    e->call = NULL;
    int code = 0;
    if (!r->status)
        code = err_set(&err, -EIO, "%s", r->error);
    else if (e->too_large)
        code = err_set(&err, -EMSGSIZE, "response too large");
    else
        code = scrape_reply_check(r->status, r->type, buf_slice(&e->body), e->job.profile, &err);
    if (code == 0 && e->job.deltas) {
        scrape_compare(e);
        return;
    }
    e->owner->bodies -= e->body.len;
    if (code < 0)
        scrape_tell(e, err.text);
    else
        scrape_pass_on(e, &e->body);
    buf_done(&e->body);
    e->body = BUF_INIT(SCRAPE_BODY_MAX);
}

/* NULL-terminated; the lines and the array are to be freed. */
static char **scrape_headers(const struct scraper *s, const char *authorization)
{
    const struct header_lines *more = &s->args->http.http_headers;
    char **lines = xcalloc(more->len + 3, sizeof *lines);
    size_t n = 0;
    lines[n++] = xasprintf("User-Agent: smolder/%s", s->env->version);
    for (size_t i = 0; i < more->len; i++)
        lines[n++] = xstrdup(more->lines[i]);
    if (authorization)
        lines[n++] = xasprintf("Authorization: %s", authorization);
    return lines;
}

static int scrape_start_call(struct scrape_endpoint *e, struct err *err)
{
    struct scraper *s = e->owner;
    const struct scrape_args *a = s->args;
    cleanup_free char *authorization = NULL;
    int code = http_settings_authorization(&a->http, &authorization, err);
    if (code < 0)
        return code;
    if (!s->http)
        s->http = http_client_get(s->env->loop);
    char **headers = scrape_headers(s, authorization);
    const struct http_request rq = {
        .method = "GET",
        .url = e->job.url,
        .headers = (const char *const *)headers,
        .timeout_ms = (a->scrape_timeout + (e->job.seconds ? a->scrape_interval - NS_PER_SEC : 0)) / NS_PER_MS,
        .follow_redirects = a->http.follow_redirects,
        .http2 = a->http.enable_http2,
        .proxy = s->opened.proxy,
        .tls = s->opened.tls,
        .authorizer = oauth2_authorizer(s->opened.oauth2),
        .piece = scrape_on_piece,
    };
    e->too_large = false;
    code = http_start(s->http, &rq, scrape_on_answer, e, &e->call, err);
    for (char **line = headers; *line; line++)
        free(*line);
    free(headers);
    return code;
}

static void scrape_on_timer(uv_timer_t *t)
{
    struct scrape_endpoint *e = t->data;
    struct err err = {0};
    if (e->call || e->work) /* it takes longer than the interval */
        return;
    e->begun_ns = clock_ns();
    e->last_scrape_s = time(NULL);
    if (scrape_start_call(e, &err) < 0)
        scrape_tell(e, err.text);
}

/* --- endpoints --- */

static void scrape_schedule(struct scrape_endpoint *e)
{
    const uint64_t interval = (uint64_t)(e->owner->args->scrape_interval / NS_PER_MS);
    uv_timer_start(&e->timer, scrape_on_timer, e->job.hash % interval, interval);
}

/* Takes the job. */
static void scrape_endpoint_new(struct scraper *s, struct scrape_job *job)
{
    struct scrape_endpoint *e = xcalloc(1, sizeof *e);
    *e = (struct scrape_endpoint){.owner = s, .job = *job, .wanted = true, .body = BUF_INIT(SCRAPE_BODY_MAX)};
    *job = (struct scrape_job){0};
    e->delta = e->job.deltas ? pprof_delta_new(e->job.deltas) : NULL;
    list_push(&s->endpoints, &e->node);
    uv_timer_init(s->env->loop, &e->timer);
    e->timer.data = e;
    scrape_schedule(e);
}

static void scrape_on_timer_closed(uv_handle_t *h)
{
    free(h->data);
}

static void scrape_endpoint_free(struct scrape_endpoint *e)
{
    list_del(&e->node);
    if (e->call)
        http_cancel(TAKE_PTR(e->call));
    scrape_drop_body(e);
    buf_done(&e->body);
    if (e->work) {
        e->owner->bodies -= e->work->counted;
        e->work->endpoint = NULL;
    }
    pprof_delta_free(e->delta);
    scrape_job_done(&e->job);
    uv_close((uv_handle_t *)&e->timer, scrape_on_timer_closed);
}

static void scrape_tell_problems(struct scraper *s, const struct scrape_jobs *jobs)
{
    if (*jobs->problem && strcmp(jobs->problem, s->problem) != 0)
        log_warn("targets cannot be scraped", L_COMPONENT(component_id(s->self)), L_STR("err", jobs->problem),
                 L_INT("count", jobs->problems));
    snprintf(s->problem, sizeof s->problem, "%s", jobs->problem);
}

/* Makes the endpoints those that the targets ask for. `again`: times have changed. */
static void scrape_reconcile(struct scraper *s, bool again)
{
    struct scrape_jobs jobs;
    cleanup_u64map struct u64map known = U64MAP_INIT; /* hash -> endpoint */
    scrape_jobs_make(&jobs, s->args, component_id(s->self), s->env->version);
    scrape_tell_problems(s, &jobs);
    list_each(&s->endpoints, node)
    {
        struct scrape_endpoint *e = list_entry(node, struct scrape_endpoint, node);
        e->wanted = false;
        u64map_put(&known, e->job.hash, (uintptr_t)e);
    }
    for (size_t i = 0; i < jobs.len; i++) {
        uint64_t there = 0;
        struct scrape_endpoint *e =
            u64map_get(&known, jobs.items[i].hash, &there) ? (struct scrape_endpoint *)(uintptr_t)there : NULL;
        if (!e)
            scrape_endpoint_new(s, &jobs.items[i]);
        else
            e->wanted = true;
        if (e && again)
            scrape_schedule(e);
        if (!e) /* the same target twice is scraped once */
            u64map_put(&known, list_entry(s->endpoints.prev, struct scrape_endpoint, node)->job.hash,
                       (uintptr_t)list_entry(s->endpoints.prev, struct scrape_endpoint, node));
    }
    list_each(&s->endpoints, node)
    {
        struct scrape_endpoint *e = list_entry(node, struct scrape_endpoint, node);
        if (!e->wanted)
            scrape_endpoint_free(e);
    }
    scrape_jobs_done(&jobs);
}

/* --- life --- */

static int scrape_build(struct component *self, const void *args, void **ret_state, struct err *err)
{
    const struct scrape_args *a = args;
    struct http_settings_open opened;
    const int code = http_settings_open(&a->http, &opened, err);
    if (code < 0)
        return code;
    struct scraper *s = xcalloc(1, sizeof *s);
    *s = (struct scraper){.self = self, .env = component_env(self), .args = args_ref(a), .opened = opened};
    list_init(&s->endpoints);
    fanout_init(&s->fanout, component_id(self));
    *ret_state = s;
    return 0;
}

static int scrape_update(void *state, const void *args, struct err *err)
{
    struct scraper *s = state;
    const struct scrape_args *next = args;
    struct http_settings_open opened;
    const int code = http_settings_open(&next->http, &opened, err);
    if (code < 0)
        return code;
    const bool again = next->scrape_interval != s->args->scrape_interval;
    http_settings_close(&s->opened);
    args_unref(s->args);
    s->args = args_ref(next);
    s->opened = opened;
    if (s->started && !s->stopping)
        scrape_reconcile(s, again);
    return 0;
}

static void scrape_start(void *state)
{
    struct scraper *s = state;
    s->started = true;
    if (s->args->clustering.enabled)
        log_warn("clustering has no effect; this agent scrapes every target", L_COMPONENT(component_id(s->self)));
    scrape_reconcile(s, false);
}

static void scrape_end_all(struct scraper *s)
{
    list_each(&s->endpoints, node) scrape_endpoint_free(list_entry(node, struct scrape_endpoint, node));
}

static void scrape_stop(void *state)
{
    struct scraper *s = state;
    s->stopping = true;
    scrape_end_all(s);
    component_stopped(s->self);
}

static void scrape_free(void *state)
{
    struct scraper *s = state;
    scrape_end_all(s);
    http_client_put(s->http);
    http_settings_close(&s->opened);
    fanout_done(&s->fanout);
    args_unref(s->args);
    free(s);
}

static struct value *scrape_labels_value(const struct labels *labels)
{
    struct value *o = value_object();
    for (size_t i = 0; i < labels_len(labels); i++)
        value_object_put(o, labels_at(labels, i)->name, value_string(labels_at(labels, i)->value));
    return o;
}

static struct value *scrape_endpoint_value(const struct scrape_endpoint *e)
{
    const time_t t = (time_t)e->last_scrape_s;
    struct tm tm;
    char text[32] = "";
    if (t && gmtime_r(&t, &tm))
        (void)strftime(text, sizeof text, "%Y-%m-%dT%H:%M:%SZ", &tm);
    struct value *o = value_object();
    value_object_put(o, STR("job"), value_string(labels_get(e->job.labels, STR("job"))));
    value_object_put(o, STR("url"), value_string(str_of(e->job.url)));
    value_object_put(o, STR("health"),
                     value_string(!e->scraped      ? STR("unknown")
                                  : *e->last_error ? STR("down")
                                                   : STR("up")));
    value_object_put(o, STR("labels"), scrape_labels_value(e->job.labels));
    value_object_put(o, STR("last_error"), value_string(str_of(e->last_error)));
    value_object_put(o, STR("last_scrape"), value_string(str_of(text)));
    value_object_put(o, STR("last_scrape_duration_seconds"), value_float((double)e->took_ns / 1e9));
    return o;
}

static struct value *scrape_debug_info(void *state)
{
    struct scraper *s = state;
    struct value **items = NULL;
    size_t n = 0, cap = 0;
    list_each(&s->endpoints, node)
    {
        xgrow(&items, &cap, n + 1, sizeof *items);
        items[n++] = scrape_endpoint_value(list_entry(node, struct scrape_endpoint, node));
    }
    struct value *o = value_object();
    value_object_put(o, STR("target"), value_array(items, n));
    free(items);
    return o;
}

static const char *const no_exports[] = {NULL};

const struct component_def pyroscope_scrape = {
    .name = "pyroscope.scrape",
    .help = "Collects pprof profiles of programs over HTTP and passes them on.",
    .stability = STABILITY_GA,
    .args = &scrape_schema,
    .exports = no_exports,
    .build = scrape_build,
    .update = scrape_update,
    .start = scrape_start,
    .stop = scrape_stop,
    .free = scrape_free,
    .debug_info = scrape_debug_info,
};
