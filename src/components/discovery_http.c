/* discovery.http: targets from an HTTP server, in the format of files of targets (components/target_groups.h).
 *
 * The answer must have status 200 and the type application/json, in UTF-8. Unlike the reference, the arguments are
 * checked at load. Source: spec components §5.5; the component's page in Alloy's documentation.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "base/mem.h"
#include "base/metric.h"
#include "components/env.h"
#include "components/http_fetch.h"
#include "components/refresh.h"
#include "components/target_groups.h"
#include "graph/component.h"
#include "net/url.h"

enum { ANSWER_MAX = GROUPS_TEXT_MAX + 1 };

struct discovery_http_args {
    char *url;
    int64_t refresh_interval;
    struct http_settings http;
};

static const struct option options[] = {
    {"url", OPT_STRING, offsetof(struct discovery_http_args, url), .required = true, .help = "URL of the targets."},
    {"refresh_interval", OPT_DURATION, offsetof(struct discovery_http_args, refresh_interval),
     .default_text = "\"60s\"", .help = "Interval of requests."},
    HTTP_SETTINGS_OPTIONS(struct discovery_http_args, http),
    {0},
};

static int discovery_http_check(const void *record, struct err *err)
{
    const struct discovery_http_args *a = record;
    cleanup_http_url struct http_url url = {0};
    int code = http_url_parse(a->url, &url, err);
    if (code < 0)
        return err_wrap(err, code, "url");
    code = refresh_check_interval(a->refresh_interval, err);
    return code < 0 ? code : http_settings_check(&a->http, err);
}
static const struct schema schema = {
    .size = sizeof(struct discovery_http_args), .options = options, .validate = discovery_http_check};

static struct metric_family http_failures = {.name = "prometheus_sd_http_failures_total",
                                             .help = "Requests for targets that failed.",
                                             .kind = METRIC_COUNTER,
                                             .labels = {"component_id", "component_path"}};

struct http_discovery {
    const struct discovery_http_args *args; /* one reference */
    char *shown;                            /* the URL without user and password */
    struct refresh refresh;
    struct http_fetch fetch;
    struct http_call *call; /* NULL: none */
};

static void discovery_http_fail(struct http_discovery *d, const char *why)
{
    cleanup_free char *text = xasprintf("%s: %s", d->shown, why);
    metric_add(&http_failures, 1, d->refresh.component_id, d->refresh.component_path);
    refresh_failed(&d->refresh, text);
}

/* "application/json", with nothing but a charset of UTF-8 behind it. */
static bool discovery_http_is_json(const char *type)
{
    static const char json[] = "application/json";
    if (strncasecmp(type, json, sizeof json - 1) != 0)
        return false;
    const struct str rest = str_trim(str_of(type + sizeof json - 1));
    static const char *const charsets[] = {"; charset=utf-8", ";charset=utf-8", "; charset=\"utf-8\"", ";"};
    for (size_t i = 0; i < ARRAY_LEN(charsets); i++)
        if (rest.n == strlen(charsets[i]) && strncasecmp(rest.p, charsets[i], rest.n) == 0)
            return true;
    return rest.n == 0;
}

static void discovery_http_on_answer(void *arg, const struct http_response *r)
{
    struct http_discovery *d = arg;
    struct targets targets = {0};
    struct err err = {0};
    d->call = NULL;
    cleanup_free char *why = http_fetch_problem(r, ANSWER_MAX);
    if (!why && !discovery_http_is_json(r->type))
        why = xasprintf("unsupported content type \"%.100s\": it must be application/json", r->type);
    if (!why && groups_read_url(d->shown, r->body, &targets, &err) < 0)
        why = xstrdup(err.text);
    if (why)
        discovery_http_fail(d, why);
    else
        refresh_targets(&d->refresh, &targets);
}

static void discovery_http_ask(void *arg)
{
    struct http_discovery *d = arg;
    char interval[80];
    snprintf(interval, sizeof interval, "X-Prometheus-Refresh-Interval-Seconds: %g",
             (double)d->args->refresh_interval / NS_PER_SEC);
    const char *const headers[] = {"Accept: application/json", interval, NULL};
    const struct http_fetch_request rq = {.url = d->args->url,
                                          .headers = headers,
                                          .timeout_ms = d->args->refresh_interval / NS_PER_MS,
                                          .response_max = ANSWER_MAX};
    struct err err = {0};
    if (http_fetch_start(&d->fetch, &rq, discovery_http_on_answer, d, &d->call, &err) < 0)
        discovery_http_fail(d, err.text);
}

static void discovery_http_cancel(struct http_discovery *d)
{
    if (d->call)
        http_cancel(TAKE_PTR(d->call));
    refresh_cancelled(&d->refresh);
}

/* Keeps the arguments, on success only. */
static int discovery_http_set_args(struct http_discovery *d, const struct discovery_http_args *a, struct err *err)
{
    const struct component_env *env = component_env(d->refresh.self);
    cleanup_http_url struct http_url url = {0};
    int code = http_url_parse(a->url, &url, err);
    if (code == 0)
        code = http_fetch_open(&d->fetch, env->loop, &a->http, env->version, err);
    if (code < 0)
        return code;
    args_unref(d->args);
    d->args = args_ref(a);
    free(d->shown);
    d->shown = TAKE_PTR(url.bare);
    refresh_set_interval(&d->refresh, a->refresh_interval);
    return 0;
}

static void discovery_http_free(void *state)
{
    struct http_discovery *d = state;
    discovery_http_cancel(d);
    metric_forget(&http_failures, d->refresh.component_id, d->refresh.component_path);
    refresh_done(&d->refresh);
    http_fetch_close(&d->fetch);
    args_unref(d->args);
    free(d->shown);
    free(d);
}

static int discovery_http_build(struct component *self, const void *args, void **ret_state, struct err *err)
{
    const struct component_env *env = component_env(self);
    struct http_discovery *d = xcalloc(1, sizeof *d);
    d->fetch = HTTP_FETCH_INIT;
    refresh_init(&d->refresh, self, env->loop, "http", discovery_http_ask, d);
    const int code = discovery_http_set_args(d, args, err);
    if (code < 0) {
        discovery_http_free(d);
        return code;
    }
    *ret_state = d;
    return 0;
}

static int discovery_http_update(void *state, const void *args, struct err *err)
{
    struct http_discovery *d = state;
    discovery_http_cancel(d);
    const int code = discovery_http_set_args(d, args, err);
    refresh_now(&d->refresh);
    return code;
}

static void discovery_http_start(void *state)
{
    struct http_discovery *d = state;
    metric_add(&http_failures, 0, d->refresh.component_id, d->refresh.component_path);
    refresh_start(&d->refresh);
}

static void discovery_http_stop(void *state)
{
    struct http_discovery *d = state;
    discovery_http_cancel(d);
    refresh_stop(&d->refresh);
    component_stopped(d->refresh.self);
}

const struct component_def discovery_http = {
    .name = "discovery.http",
    .help = "Discovers targets by asking an HTTP server.",
    .stability = STABILITY_GA,
    .args = &schema,
    .exports = refresh_exports,
    .build = discovery_http_build,
    .update = discovery_http_update,
    .start = discovery_http_start,
    .stop = discovery_http_stop,
    .free = discovery_http_free,
};
