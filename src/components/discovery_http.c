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
#include "components/http_refresh.h"
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
    struct http_refresh http;
    char *shown; /* the URL without user and password */
};

static const struct discovery_http_args *http_discovery_args(const struct http_discovery *d)
{
    return d->http.args;
}

static void discovery_http_fail(struct http_discovery *d, const char *why)
{
    cleanup_free char *text = xasprintf("%s: %s", d->shown, why);
    metric_add(&http_failures, 1, d->http.refresh.component_id, d->http.refresh.component_path);
    refresh_failed(&d->http.refresh, text);
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
    d->http.call = NULL;
    cleanup_free char *why = http_fetch_problem(r, ANSWER_MAX);
    if (!why && !discovery_http_is_json(r->type))
        why = xasprintf("unsupported content type \"%.100s\": it must be application/json", r->type);
    if (!why && groups_read_url(d->shown, r->body, &targets, &err) < 0)
        why = xstrdup(err.text);
    if (why)
        discovery_http_fail(d, why);
    else
        refresh_targets(&d->http.refresh, &targets);
}

static void discovery_http_ask(void *arg)
{
    struct http_discovery *d = arg;
    char interval[80];
    snprintf(interval, sizeof interval, "X-Prometheus-Refresh-Interval-Seconds: %g",
             (double)http_discovery_args(d)->refresh_interval / NS_PER_SEC);
    const char *const headers[] = {"Accept: application/json", interval, NULL};
    const struct http_fetch_request rq = {.url = http_discovery_args(d)->url,
                                          .headers = headers,
                                          .timeout_ms = http_discovery_args(d)->refresh_interval / NS_PER_MS,
                                          .response_max = ANSWER_MAX};
    struct err err = {0};
    if (http_fetch_start(&d->http.fetch, &rq, discovery_http_on_answer, d, &d->http.call, &err) < 0)
        discovery_http_fail(d, err.text);
}

/* --- life --- */

static int discovery_http_set_args(void *state, const void *args, struct err *err)
{
    struct http_discovery *d = state;
    const struct discovery_http_args *a = args;
    cleanup_http_url struct http_url url = {0};
    int code = http_url_parse(a->url, &url, err);
    if (code == 0)
        code = http_refresh_take(&d->http, a, &a->http, a->refresh_interval, err);
    if (code < 0)
        return code;
    free(d->shown);
    d->shown = TAKE_PTR(url.bare);
    return 0;
}

static void discovery_http_done(void *state)
{
    struct http_discovery *d = state;
    metric_forget(&http_failures, d->http.refresh.component_id, d->http.refresh.component_path);
    free(d->shown);
}

static const struct http_refresh_kind http_kind = {
    .mechanism = "http",
    .state_size = sizeof(struct http_discovery),
    .ask = discovery_http_ask,
    .set_args = discovery_http_set_args,
    .done = discovery_http_done,
};

static int discovery_http_build(struct component *self, const void *args, void **ret_state, struct err *err)
{
    return http_refresh_build(self, &http_kind, args, ret_state, err);
}

static void discovery_http_start(void *state)
{
    const struct http_discovery *d = state;
    metric_add(&http_failures, 0, d->http.refresh.component_id, d->http.refresh.component_path);
    http_refresh_start(state);
}

const struct component_def discovery_http = {
    .name = "discovery.http",
    .help = "Discovers targets by asking an HTTP server.",
    .stability = STABILITY_GA,
    .args = &schema,
    .exports = refresh_exports,
    .build = discovery_http_build,
    .update = http_refresh_update,
    .start = discovery_http_start,
    .stop = http_refresh_stop,
    .free = http_refresh_free,
};
