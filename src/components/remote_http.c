/* remote.http: the answer of an HTTP server as a value, asked for again every poll_frequency.
 *
 * Unlike in the reference a load does not wait for the server, which may be one that this program profiles: the
 * content is empty until the first answer, and whoever refers to it is evaluated again then. After a failed request the
 * previous content stays and the component is unhealthy; before the first answer requests are more frequent.
 * Source: spec components §5.6.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "base/log.h"
#include "base/mem.h"
#include "components/env.h"
#include "components/http_fetch.h"
#include "graph/component.h"
#include "net/url.h"

enum { REMOTE_FIRST_RETRY_MS = 1000, CONTENT_MAX = (4 << 20) + 1 };

struct remote_client_args {
    struct http_settings http;
};
struct remote_http_args {
    char *url, *method, *body;
    struct string_map headers;
    int64_t poll_frequency, poll_timeout;
    bool is_secret;
    struct remote_client_args client;
};

static int remote_http_check_client(const void *record, struct err *err)
{
    return http_settings_check(&((const struct remote_client_args *)record)->http, err);
}

static const struct option client_options[] = {HTTP_SETTINGS_OPTIONS(struct remote_client_args, http), {0}};
static const struct schema client_schema = {
    .size = sizeof(struct remote_client_args), .options = client_options, .validate = remote_http_check_client};

static const struct option options[] = {
    {"url", OPT_STRING, offsetof(struct remote_http_args, url), .required = true, .help = "URL to ask."},
    {"method", OPT_STRING, offsetof(struct remote_http_args, method), .default_text = "\"GET\"",
     .help = "HTTP method."},
    {"headers", OPT_STRING_MAP, offsetof(struct remote_http_args, headers), .help = "Request headers."},
    {"body", OPT_STRING, offsetof(struct remote_http_args, body), .help = "Request body."},
    {"poll_frequency", OPT_DURATION, offsetof(struct remote_http_args, poll_frequency), .default_text = "\"1m\"",
     .help = "Polling interval."},
    {"poll_timeout", OPT_DURATION, offsetof(struct remote_http_args, poll_timeout), .default_text = "\"10s\"",
     .help = "Timeout of a request."},
    {"is_secret", OPT_BOOL, offsetof(struct remote_http_args, is_secret), .default_text = "false",
     .help = "Whether the content is a secret."},
    {"client", OPT_BLOCK, offsetof(struct remote_http_args, client), .block = &client_schema,
     .help = "HTTP client settings."},
    {0},
};

static int remote_http_check(const void *record, struct err *err)
{
    const struct remote_http_args *a = record;
    cleanup_http_url struct http_url url = {0};
    int code = http_url_parse(a->url, &url, err);
    if (code < 0)
        return err_wrap(err, code, "url");
    if (a->poll_frequency < NS_PER_MS)
        return err_set(err, -EINVAL, "poll_frequency must be greater than 0");
    if (a->poll_timeout < NS_PER_MS)
        return err_set(err, -EINVAL, "poll_timeout must be greater than 0");
    if (a->poll_timeout >= a->poll_frequency)
        return err_set(err, -EINVAL, "poll_timeout must be less than poll_frequency");
    if (!*a->method || a->method[strspn(a->method, "ABCDEFGHIJKLMNOPQRSTUVWXYZ")])
        return err_set(err, -EINVAL, "method must be in upper case, such as GET");
    for (size_t i = 0; i < a->headers.len; i++) {
        cleanup_free char *line = NULL;
        code = header_line(str_of(a->headers.items[i].name), str_of(a->headers.items[i].value), &line, err);
        if (code < 0)
            return err_wrap(err, code, "headers");
    }
    return 0;
}
static const struct schema schema = {
    .size = sizeof(struct remote_http_args), .options = options, .validate = remote_http_check};

struct remote_http {
    struct component *self;
    const struct remote_http_args *args; /* one reference */
    struct http_fetch fetch;
    struct http_call *call; /* NULL: none */
    struct str body;        /* of the call */
    char **headers;         /* "Name: value", NULL-terminated; owned */
    uv_timer_t *timer;      /* NULL: not running */
    bool has_content, is_troubled;
};

static void remote_http_ask(struct remote_http *r);

static void remote_http_on_timer(uv_timer_t *timer)
{
    remote_http_ask(timer->data);
}

static void remote_http_ask_later(struct remote_http *r)
{
    const int64_t poll_ms = r->args->poll_frequency / NS_PER_MS;
    const int64_t wait = r->has_content || poll_ms < REMOTE_FIRST_RETRY_MS ? poll_ms : REMOTE_FIRST_RETRY_MS;
    uv_timer_start(r->timer, remote_http_on_timer, (uint64_t)wait, 0);
}

static void remote_http_publish(struct remote_http *r, struct str content)
{
    struct value *exports = value_object();
    value_object_put(exports, STR("content"), value_optional_secret(content, r->args->is_secret));
    component_export(r->self, exports);
}

static void remote_http_fail(struct remote_http *r, const char *why)
{
    component_health(r->self, false, "polling failed: %s", why);
    if (!r->is_troubled)
        log_warn(r->has_content ? "cannot fetch content; keeping the previous one" : "cannot fetch content",
                 L_COMPONENT(component_id(r->self)), L_STR("err", why));
    r->is_troubled = true;
    remote_http_ask_later(r);
}

static void remote_http_on_answer(void *arg, const struct http_response *response)
{
    struct remote_http *r = arg;
    r->call = NULL;
    cleanup_free char *why = response->status && response->status != 200
                                 ? xasprintf("unexpected status code %d", response->status)
                                 : http_fetch_problem(response, CONTENT_MAX);
    if (why) {
        remote_http_fail(r, why);
        return;
    }
    if (r->is_troubled)
        log_info("fetching content works again", L_COMPONENT(component_id(r->self)));
    r->has_content = true;
    r->is_troubled = false;
    component_health(r->self, true, "polled endpoint");
    remote_http_publish(r, str_trim(response->body));
    remote_http_ask_later(r);
}

static void remote_http_ask(struct remote_http *r)
{
    const struct remote_http_args *a = r->args;
    const struct http_fetch_request rq = {.url = a->url,
                                          .method = a->method,
                                          .headers = (const char *const *)r->headers,
                                          .body = &r->body,
                                          .timeout_ms = a->poll_timeout / NS_PER_MS,
                                          .response_max = CONTENT_MAX};
    struct err err = {0};
    r->body = str_of(a->body);
    if (!r->call && http_fetch_start(&r->fetch, &rq, remote_http_on_answer, r, &r->call, &err) < 0)
        remote_http_fail(r, err.text);
}

static void remote_http_stop_asking(struct remote_http *r)
{
    if (r->call)
        http_cancel(TAKE_PTR(r->call));
    if (r->timer)
        uv_timer_stop(r->timer);
}

static void remote_headers_free(struct remote_http *r)
{
    for (char **line = r->headers; line && *line; line++)
        free(*line);
    free(TAKE_PTR(r->headers));
}

/* Keeps the arguments, on success only. */
static int remote_http_set_args(struct remote_http *r, const struct remote_http_args *a, struct err *err)
{
    const struct component_env *env = component_env(r->self);
    const int code = http_fetch_open(&r->fetch, env->loop, &a->client.http, env->version, err);
    if (code < 0)
        return code;
    args_unref(r->args);
    r->args = args_ref(a);
    remote_headers_free(r);
    r->headers = xcalloc(a->headers.len + 1, sizeof *r->headers);
    for (size_t i = 0; i < a->headers.len; i++)
        r->headers[i] = xasprintf("%s: %s", a->headers.items[i].name, a->headers.items[i].value);
    return 0;
}

static void remote_http_on_timer_closed(uv_handle_t *handle)
{
    free(handle);
}

static void remote_http_end(struct remote_http *r)
{
    remote_http_stop_asking(r);
    if (r->timer)
        uv_close((uv_handle_t *)TAKE_PTR(r->timer), remote_http_on_timer_closed);
}

static void remote_http_free(void *state)
{
    struct remote_http *r = state;
    remote_http_end(r);
    http_fetch_close(&r->fetch);
    remote_headers_free(r);
    args_unref(r->args);
    free(r);
}

static int remote_http_build(struct component *self, const void *args, void **ret_state, struct err *err)
{
    struct remote_http *r = xcalloc(1, sizeof *r);
    r->self = self;
    r->fetch = HTTP_FETCH_INIT;
    const int code = remote_http_set_args(r, args, err);
    if (code < 0) {
        remote_http_free(r);
        return code;
    }
    remote_http_publish(r, STR(""));
    *ret_state = r;
    return 0;
}

static int remote_http_update(void *state, const void *args, struct err *err)
{
    struct remote_http *r = state;
    remote_http_stop_asking(r);
    const int code = remote_http_set_args(r, args, err);
    if (r->timer)
        remote_http_ask(r);
    return code;
}

static void remote_http_start(void *state)
{
    struct remote_http *r = state;
    const struct component_env *env = component_env(r->self);
    r->timer = xcalloc(1, sizeof *r->timer);
    uv_timer_init(env->loop, r->timer);
    r->timer->data = r;
    remote_http_ask(r);
}

static void remote_http_stop(void *state)
{
    struct remote_http *r = state;
    remote_http_end(r);
    component_stopped(r->self);
}

static const char *const exports[] = {"content", NULL};

const struct component_def remote_http = {
    .name = "remote.http",
    .help = "Exports the answer of an HTTP server, and polls it for changes.",
    .stability = STABILITY_GA,
    .args = &schema,
    .exports = exports,
    .build = remote_http_build,
    .update = remote_http_update,
    .start = remote_http_start,
    .stop = remote_http_stop,
    .free = remote_http_free,
};
