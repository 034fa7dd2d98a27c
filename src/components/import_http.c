/* import.http: a module from an HTTP server, polled every poll_frequency.
 *
 * Startup does not wait for the first response: instances of the module start once it arrives. After a failed request
 * the previous module stays in use and the import is unhealthy; before the first success requests are more frequent.
 * Source: spec alloy-language §6.8.
 */
#include <errno.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "base/log.h"
#include "base/mem.h"
#include "components/env.h"
#include "components/http_settings.h"
#include "components/import_source.h"
#include "graph/component.h"
#include "lang/source.h"
#include "net/url.h"

/* Until the first answer: something waits for it. */
enum { FIRST_RETRY_MS = 1000, STATUS_OK = 200 };

/* --- arguments --- */

struct client_args {
    struct http_settings http;
};
struct import_http_args {
    char *url, *method, *body;
    struct string_map headers;
    int64_t poll_frequency, poll_timeout;
    struct client_args client;
};

static int import_http_check_client(const void *record, struct err *err)
{
    return http_settings_check(&((const struct client_args *)record)->http, err);
}

static const struct option client_options[] = {HTTP_SETTINGS_OPTIONS(struct client_args, http), {0}};
static const struct schema client_schema = {
    .size = sizeof(struct client_args), .options = client_options, .validate = import_http_check_client};

static const struct option options[] = {
    {"url", OPT_STRING, offsetof(struct import_http_args, url), .required = true, .help = "URL of the module."},
    {"method", OPT_STRING, offsetof(struct import_http_args, method), .default_text = "\"GET\"",
     .help = "HTTP method."},
    {"headers", OPT_STRING_MAP, offsetof(struct import_http_args, headers), .help = "Request headers."},
    {"body", OPT_STRING, offsetof(struct import_http_args, body), .help = "Request body."},
    {"poll_frequency", OPT_DURATION, offsetof(struct import_http_args, poll_frequency), .default_text = "\"1m\"",
     .help = "Polling interval."},
    {"poll_timeout", OPT_DURATION, offsetof(struct import_http_args, poll_timeout), .default_text = "\"10s\"",
     .help = "Timeout of a request."},
    {"client", OPT_BLOCK, offsetof(struct import_http_args, client), .block = &client_schema,
     .help = "HTTP client settings."},
    {0},
};

static int import_http_check_args(const void *record, struct err *err)
{
    const struct import_http_args *a = record;
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
    .size = sizeof(struct import_http_args), .options = options, .validate = import_http_check_args};

/* --- the component --- */

struct http_import {
    struct component *self;
    uv_loop_t *loop;
    const struct import_http_args *args; /* one reference; NULL: none yet */
    struct http_settings_open opened;
    char *shown; /* the URL without user and password */
    struct http_client *client;
    struct http_call *call; /* NULL: none under way */
    struct str body;
    uv_timer_t *timer; /* NULL: not running */
    bool has_content, is_troubled;
    const char *version;
};

static void import_http_ask(struct http_import *i);

static void import_http_on_timer(uv_timer_t *timer)
{
    import_http_ask(timer->data);
}

static void import_http_ask_later(struct http_import *i)
{
    const int64_t poll_ms = i->args->poll_frequency / NS_PER_MS;
    const int64_t wait = i->has_content || poll_ms < FIRST_RETRY_MS ? poll_ms : FIRST_RETRY_MS;
    uv_timer_start(i->timer, import_http_on_timer, (uint64_t)wait, 0);
}

static void import_http_fail(struct http_import *i, const char *why)
{
    component_health(i->self, false, "%s: %s", i->shown, why);
    if (!i->is_troubled)
        log_warn(i->has_content ? "cannot fetch module; keeping the previous content" : "cannot fetch module",
                 L_COMPONENT(component_id(i->self)), L_STR("url", i->shown), L_STR("err", why));
    i->is_troubled = true;
    import_http_ask_later(i);
}

/* The URL up to its last slash, as the reference has it. */
static void import_http_publish(struct http_import *i, struct str text)
{
    const char *slash = strrchr(i->shown, '/');
    cleanup_free char *folder = xstrndup(i->shown, slash ? (size_t)(slash - i->shown) + 1 : strlen(i->shown));
    import_source_export_text(i->self, i->shown, text, folder);
}

static void import_http_on_answer(void *arg, const struct http_response *r)
{
    struct http_import *i = arg;
    i->call = NULL;
    if (r->status != STATUS_OK || r->body.n > SOURCE_MAX) {
        cleanup_free char *why = !r->status               ? xstrdup(r->error)
                                 : r->status == STATUS_OK ? xasprintf("response larger than %d MiB", SOURCE_MAX >> 20)
                                                          : xasprintf("HTTP status %d", r->status);
        import_http_fail(i, why);
        return;
    }
    if (i->is_troubled)
        log_info("fetching the module works again", L_COMPONENT(component_id(i->self)), L_STR("url", i->shown));
    i->has_content = true;
    i->is_troubled = false;
    component_health(i->self, true, "fetched %zu bytes", r->body.n);
    import_http_publish(i, r->body);
    import_http_ask_later(i);
}

/* "Name: value" lines, NULL-terminated; the lines belong to the list. */
static char **import_http_headers(const struct http_import *i, const char *authorization)
{
    const struct import_http_args *a = i->args;
    const struct header_lines *more = &a->client.http.http_headers;
    char **lines = xcalloc(a->headers.len + more->len + 3, sizeof *lines);
    size_t n = 0;
    bool has_own = false;
    lines[n++] = xasprintf("User-Agent: smolder/%s", i->version);
    for (size_t k = 0; k < a->headers.len; k++) {
        has_own |= strcasecmp(a->headers.items[k].name, "Authorization") == 0;
        lines[n++] = xasprintf("%s: %s", a->headers.items[k].name, a->headers.items[k].value);
    }
    for (size_t k = 0; k < more->len; k++)
        lines[n++] = xstrdup(more->lines[k]);
    if (authorization && !has_own)
        lines[n++] = xasprintf("Authorization: %s", authorization);
    return lines;
}

static void header_lines_free(char **lines)
{
    for (char **l = lines; *l; l++)
        free(*l);
    free(lines);
}

static int import_http_start_call(struct http_import *i, struct err *err)
{
    const struct import_http_args *a = i->args;
    cleanup_free char *authorization = NULL;
    int code = http_settings_authorization(&a->client.http, &authorization, err);
    if (code < 0)
        return code;
    char **headers = import_http_headers(i, authorization);
    i->body = str_of(a->body);
    const struct http_request rq = {
        .method = a->method,
        .url = a->url,
        .headers = (const char *const *)headers,
        .body = &i->body,
        .body_pieces = i->body.n > 0,
        .timeout_ms = a->poll_timeout / NS_PER_MS,
        .follow_redirects = a->client.http.follow_redirects,
        .http2 = a->client.http.enable_http2,
        .proxy = i->opened.proxy,
        .tls = i->opened.tls,
        .authorizer = oauth2_authorizer(i->opened.oauth2),
        .response_max = SOURCE_MAX + 1,
    };
    code = http_start(i->client, &rq, import_http_on_answer, i, &i->call, err);
    header_lines_free(headers);
    return code;
}

static void import_http_ask(struct http_import *i)
{
    struct err err = {0};
    if (i->call)
        return;
    if (!i->client)
        i->client = http_client_get(i->loop);
    if (import_http_start_call(i, &err) < 0)
        import_http_fail(i, err.text);
}

static void import_http_stop_asking(struct http_import *i)
{
    if (i->call)
        http_cancel(TAKE_PTR(i->call));
    if (i->timer)
        uv_timer_stop(i->timer);
}

/* Keeps the arguments, on success only. */
static int import_http_set_args(struct http_import *i, const struct import_http_args *a, struct err *err)
{
    struct http_settings_open opened = HTTP_SETTINGS_OPEN_INIT;
    cleanup_http_url struct http_url url = {0};
    int code = http_url_parse(a->url, &url, err);
    if (code == 0)
        code = http_settings_open(&a->client.http, &opened, err);
    if (code < 0)
        return code;
    http_settings_close(&i->opened); /* which borrows from the old arguments */
    args_unref(i->args);
    i->args = args_ref(a);
    i->opened = opened;
    free(i->shown);
    i->shown = TAKE_PTR(url.bare);
    return 0;
}

static int import_http_build(struct component *self, const void *args, void **ret_state, struct err *err)
{
    const struct component_env *env = component_env(self);
    struct http_import *i = xcalloc(1, sizeof *i);
    *i = (struct http_import){
        .self = self, .loop = env->loop, .version = env->version, .opened = HTTP_SETTINGS_OPEN_INIT};
    const int code = import_http_set_args(i, args, err);
    if (code < 0) {
        free(i);
        return code;
    }
    *ret_state = i;
    return 0;
}

static int import_http_update(void *state, const void *args, struct err *err)
{
    struct http_import *i = state;
    import_http_stop_asking(i);
    const int code = import_http_set_args(i, args, err);
    if (i->timer)
        import_http_ask(i);
    return code;
}

static void import_http_start(void *state)
{
    struct http_import *i = state;
    i->timer = xcalloc(1, sizeof *i->timer);
    uv_timer_init(i->loop, i->timer);
    i->timer->data = i;
    import_http_ask(i);
}

static void import_http_on_timer_closed(uv_handle_t *handle)
{
    free(handle);
}

static void import_http_end(struct http_import *i)
{
    import_http_stop_asking(i);
    if (i->timer)
        uv_close((uv_handle_t *)TAKE_PTR(i->timer), import_http_on_timer_closed);
    if (i->client)
        http_client_put(TAKE_PTR(i->client));
}

static void import_http_stop(void *state)
{
    struct http_import *i = state;
    import_http_end(i);
    component_stopped(i->self);
}

static void import_http_free(void *state)
{
    struct http_import *i = state;
    import_http_end(i);
    http_settings_close(&i->opened);
    args_unref(i->args);
    free(i->shown);
    free(i);
}

const struct component_def import_http = {
    .name = "import.http",
    .help = "Imports custom components from an HTTP server, and polls it for changes.",
    .stability = STABILITY_GA,
    .args = &schema,
    .exports = import_source_exports,
    .imports = true,
    .remote = true,
    .build = import_http_build,
    .update = import_http_update,
    .start = import_http_start,
    .stop = import_http_stop,
    .free = import_http_free,
};
