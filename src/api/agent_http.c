#include "api/agent_http.h"

#include <stdlib.h>
#include <string.h>

#include "api/agent_auth.h"
#include "api/components_json.h"
#include "base/cleanup.h"
#include "base/mem.h"
#include "base/metric.h"
#include "net/server.h"
#include "net/server_tls.h"

enum { ANSWER_MAX = 32 << 20, BODY_MAX = 64 << 10 };

struct agent_http {
    struct agent_http_options options; /* `listen` is not kept */
    struct server *server;
    struct agent_auth auth;
    bool live_debugging;
    void (*closed)(void *arg);
    void *closed_arg;
};

static void ready(void *ctx, struct request *rq)
{
    struct agent_http *h = ctx;
    if (controller_ready(h->options.controller))
        request_reply_text(rq, 200, "smolder is ready.\n");
    else
        request_reply_text(rq, 503, "smolder is not ready.\n");
}

static bool note_unhealthy(void *arg, const struct component_view *v)
{
    struct buf *names = arg;
    if (v->health == HEALTH_UNHEALTHY)
        buf_printf(names, "%s%s", names->len ? ", " : "", v->id);
    return true;
}

static void healthy(void *ctx, struct request *rq)
{
    struct agent_http *h = ctx;
    cleanup_buf struct buf names = BUF_INIT(ANSWER_MAX);
    controller_each(h->options.controller, note_unhealthy, &names);
    if (names.len)
        request_reply_text(rq, 500, "unhealthy components: %s\n", buf_cstr(&names));
    else
        request_reply_text(rq, 200, "All smolder components are healthy.\n");
}

static void reload(void *ctx, struct request *rq)
{
    struct agent_http *h = ctx;
    if (!h->options.reload) {
        request_reply_text(rq, 404, "404 page not found\n");
        return;
    }
    cleanup_buf struct buf why = BUF_INIT(ANSWER_MAX);
    if (h->options.reload(h->options.arg, &why)) {
        request_reply_text(rq, 200, "config reloaded\n");
        return;
    }
    if (why.len == 0 || why.p[why.len - 1] != '\n')
        buf_byte(&why, '\n');
    request_reply_buf(rq, 400, "text/plain; charset=utf-8", &why);
}

static void metrics(void *ctx, struct request *rq)
{
    struct agent_http *h = ctx;
    if (h->options.before_metrics)
        h->options.before_metrics(h->options.arg);
    struct buf out = BUF_INIT(ANSWER_MAX);
    metric_render(&out);
    request_reply_buf(rq, 200, "text/plain; version=0.0.4; charset=utf-8", &out);
    buf_done(&out);
}

static void components(void *ctx, struct request *rq)
{
    struct agent_http *h = ctx;
    struct buf out = BUF_INIT(ANSWER_MAX);
    components_json_list(h->options.controller, &out);
    request_reply_buf(rq, 200, "application/json", &out);
    buf_done(&out);
}

static void component(void *ctx, struct request *rq)
{
    struct agent_http *h = ctx;
    struct buf out = BUF_INIT(ANSWER_MAX);
    if (components_json_one(h->options.controller, request_tail(rq), &out))
        request_reply_buf(rq, 200, "application/json", &out);
    else
        request_reply_text(rq, 404, "404 page not found\n");
    buf_done(&out);
}

static void index_page(void *ctx, struct request *rq)
{
    struct agent_http *h = ctx;
    struct buf out = BUF_INIT(ANSWER_MAX);
    buf_puts(&out, "<!doctype html><html lang=en><meta charset=utf-8><title>smolder agent</title>"
                   "<style>body{font:16px/1.6 system-ui,sans-serif;margin:3rem auto;max-width:40rem;padding:0 1rem}"
                   ":root{color-scheme:light dark}</style><h1>smolder agent</h1><ul>");
    if (h->options.store_address)
        buf_printf(&out, "<li><a href=\"http://%s/\">flame graphs</a>", h->options.store_address);
    buf_puts(&out, "<li><a href=/api/v0/web/components>components</a><li><a href=/metrics>metrics</a>"
                   "<li><a href=/-/ready>ready</a><li><a href=/-/healthy>healthy</a></ul></html>\n");
    request_reply_buf(rq, 200, "text/html; charset=utf-8", &out);
    buf_done(&out);
}

static const struct server_route routes[] = {
    {NULL, "/-/ready", ready},
    {NULL, "/-/healthy", healthy},
    {"GET", "/-/reload", reload},
    {"POST", "/-/reload", reload},
    {"GET", "/metrics", metrics},
    {NULL, "/api/v0/web/components", components},
    {NULL, "/api/v0/web/components/*", component},
    {"GET", "/", index_page},
    {0},
};

/* ---- who may ask ---- */

static unsigned guard(void *ctx, struct request *rq)
{
    struct agent_http *h = ctx;
    if (agent_auth_admits(&h->auth, request_path(rq), request_header(rq, "Authorization")))
        return 0;
    request_set_header(rq, "WWW-Authenticate", "Basic realm=\"Restricted\"");
    return 401;
}

static void problem(void *ctx, const char *what)
{
    struct agent_http *h = ctx;
    if (h->options.problem)
        h->options.problem(h->options.arg, what);
}

int agent_http_prepare(struct agent_http *h, const struct settings *s, struct err *err)
{
    const struct http_server_tls *t = &s->http.tls;
    const struct server_tls_options tls = {
        .cert_pem = t->cert_pem,
        .cert_file = t->cert_file,
        .key_pem = t->key_pem,
        .key_file = t->key_file,
        .client_ca_pem = t->client_ca_pem,
        .client_ca_file = t->client_ca_file,
        .client_auth_type = t->client_auth_type,
        .min_version = t->min_version,
        .max_version = t->max_version,
        .cipher_suites = (const char *const *)t->cipher_suites.items,
        .cipher_suite_count = t->cipher_suites.len,
        .curves = (const char *const *)t->curve_preferences.items,
        .curve_count = t->curve_preferences.len,
    };
    return server_prepare(h->server, s->http.has_tls ? &tls : NULL, err);
}

void agent_http_apply(struct agent_http *h, const struct settings *s)
{
    server_commit(h->server);
    agent_auth_done(&h->auth);
    agent_auth_init(&h->auth, &s->http);
    h->live_debugging = s->live_debugging;
}

/* ---- life ---- */

int agent_http_open(const struct agent_http_options *options, struct agent_http **ret, struct err *err)
{
    cleanup_free struct agent_http *h = xcalloc(1, sizeof *h);
    h->options = *options;
    h->options.listen = NULL;
    int code = server_open(&(struct server_options){.loop = options->loop,
                                                    .listen = options->listen,
                                                    .routes = routes,
                                                    .ctx = h,
                                                    .guard = guard,
                                                    .problem = problem,
                                                    .allowed_hosts = options->allowed_hosts,
                                                    .max_body = BODY_MAX},
                           &h->server, err);
    if (code < 0)
        return code;
    *ret = TAKE_PTR(h);
    return 0;
}

const char *agent_http_address(const struct agent_http *h)
{
    return server_address(h->server);
}

static void on_closed(void *arg)
{
    struct agent_http *h = arg;
    if (h->closed)
        h->closed(h->closed_arg);
    agent_auth_done(&h->auth);
    free(h);
}

void agent_http_close(struct agent_http *h, void (*closed)(void *arg), void *arg)
{
    if (!h)
        return;
    h->closed = closed;
    h->closed_arg = arg;
    server_close(h->server, on_closed, h);
}
