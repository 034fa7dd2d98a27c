#include "api/agent/agent_http.h"

#include <stdlib.h>
#include <string.h>

#include "api/agent/agent_bundle.h"
#include "api/agent/agent_live.h"
#include "api/agent/agent_metrics.h"
#include "api/agent/agent_record.h"
#include "api/agent/agent_record_page.h"
#include "api/agent/components_json.h"
#include "api/agent/pipeline_json.h"
#include "api/page/page_index.h"
#include "api/page/page_place.h"
#include "api/shared/access.h"
#include "api/shared/jvms_json.h"
#include "api/shared/server_settings.h"
#include "base/cleanup.h"
#include "base/mem.h"
#include "base/metric.h"
#include "graph/view.h"
#include "net/server.h"

enum { ANSWER_MAX = 32 << 20, BODY_MAX = 64 << 10 };

struct agent_http {
    struct agent_http_options options; /* `listen` is not kept */
    struct server *server;
    struct access access;
    bool has_tls; /* as the configuration in force wants it */
    struct agent_live *live;
    struct agent_record *record;
    struct agent_record_page *record_page;
    struct agent_bundle *bundle;
    char *prefix;                /* "/", or with a '/' at both ends */
    struct server_route *routes; /* owned, and so are the paths */
    void (*closed)(void *arg);
    void *closed_arg;
};

static void agent_http_ready(void *ctx, struct request *rq)
{
    struct agent_http *h = ctx;
    if (controller_ready(h->options.controller))
        request_reply_text(rq, 200, "smolder is ready.\n");
    else
        request_reply_text(rq, 503, "smolder is not ready.\n");
}

static bool agent_http_note_unhealthy(void *arg, const struct component_view *v)
{
    struct buf *names = arg;
    if (v->health == HEALTH_UNHEALTHY)
        buf_printf(names, "%s%s", names->len ? ", " : "", v->id);
    return true;
}

static void agent_http_healthy(void *ctx, struct request *rq)
{
    struct agent_http *h = ctx;
    cleanup_buf struct buf names = BUF_INIT(ANSWER_MAX), why = BUF_INIT(ANSWER_MAX);
    controller_each(h->options.controller, agent_http_note_unhealthy, &names);
    if (h->options.healthy && !h->options.healthy(h->options.arg, &why))
        request_reply_text(rq, 500, "unhealthy: %s\n", buf_cstr(&why));
    else if (names.len)
        request_reply_text(rq, 500, "unhealthy components: %s\n", buf_cstr(&names));
    else
        request_reply_text(rq, 200, "All smolder components are healthy.\n");
}

static void agent_http_reload(void *ctx, struct request *rq)
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

static void agent_http_put_metrics(void *arg, struct buf *out)
{
    struct agent_http *h = arg;
    agent_metrics_update(h->options.loop, h->options.controller);
    metric_render(out);
}

static void agent_http_metrics(void *ctx, struct request *rq)
{
    struct buf out = BUF_INIT(ANSWER_MAX);
    agent_http_put_metrics(ctx, &out);
    request_reply_buf(rq, 200, "text/plain; version=0.0.4; charset=utf-8", &out);
    buf_done(&out);
}

static void agent_http_jvms(void *ctx, struct request *rq)
{
    struct agent_http *h = ctx;
    jvms_json_reply(h->options.controller, rq);
}

static void agent_http_record(void *ctx, struct request *rq)
{
    struct agent_http *h = ctx;
    agent_record_start(h->record, rq);
}

static void agent_http_record_stop(void *ctx, struct request *rq)
{
    struct agent_http *h = ctx;
    agent_record_stop(h->record, rq);
}

static void agent_http_record_page(void *ctx, struct request *rq)
{
    struct agent_http *h = ctx;
    agent_record_page_start(h->record_page, rq);
}

static void agent_http_not_found(void *ctx, struct request *rq)
{
    (void)ctx;
    request_reply_text(rq, 404, "404 page not found\n");
}

static void agent_http_support(void *ctx, struct request *rq)
{
    struct agent_http *h = ctx;
    if (h->options.support_bundle)
        agent_bundle_make(h->bundle, rq);
    else
        request_reply_text(rq, 403, "support bundles are disabled by --server.http.disable-support-bundle\n");
}

/* ---- /api/v0/web ---- */

static void agent_http_list(struct agent_http *h, struct request *rq, const char *module_id)
{
    struct buf out = BUF_INIT(ANSWER_MAX);
    if (components_json_list(h->options.controller, module_id, &out))
        request_reply_buf(rq, 200, "application/json", &out);
    else
        request_reply_text(rq, 500, "module not found\n");
    buf_done(&out);
}

static void agent_http_components(void *ctx, struct request *rq)
{
    agent_http_list(ctx, rq, "");
}

static void agent_http_component(void *ctx, struct request *rq)
{
    struct agent_http *h = ctx;
    struct buf out = BUF_INIT(ANSWER_MAX);
    if (components_json_one(h->options.controller, request_tail(rq), &out))
        request_reply_buf(rq, 200, "application/json", &out);
    else
        agent_http_not_found(ctx, rq);
    buf_done(&out);
}

static void agent_http_module_components(void *ctx, struct request *rq)
{
    const struct str tail = str_of(request_tail(rq)), end = STR("/components");
    if (tail.n <= end.n || !str_has_suffix(tail, end)) {
        agent_http_not_found(ctx, rq);
        return;
    }
    cleanup_free char *id = str_dup((struct str){tail.p, tail.n - end.n});
    agent_http_list(ctx, rq, id);
}

static void agent_http_peers(void *ctx, struct request *rq)
{
    (void)ctx;
    request_reply_static(rq, 200, "application/json", STR("[]"));
}

static void agent_http_graph(void *ctx, struct request *rq)
{
    struct agent_http *h = ctx;
    agent_live_graph(h->live, rq, request_tail(rq));
}

static void agent_http_debug(void *ctx, struct request *rq)
{
    struct agent_http *h = ctx;
    agent_live_debug(h->live, rq, request_tail(rq));
}

static void agent_http_no_remote(void *ctx, struct request *rq)
{
    (void)ctx;
    request_reply_text(rq, 500, "remote config service not available\n");
}

/* The page of the store; here it has the agent's API. */
static void agent_http_index(void *ctx, struct request *rq)
{
    (void)ctx;
    page_index(rq);
}

static void agent_http_page(void *ctx, struct request *rq)
{
    const struct agent_http *h = ctx;
    page_place_reply(rq, &(struct page_place){.is_agent = true,
                                              .store = h->options.store_address,
                                              .store_token = h->options.store_token,
                                              .agent = server_address(h->server),
                                              .agent_path = h->prefix});
}

static void agent_http_pipeline(void *ctx, struct request *rq)
{
    struct agent_http *h = ctx;
    struct buf out = BUF_INIT(ANSWER_MAX);
    agent_metrics_update(h->options.loop, h->options.controller);
    pipeline_json_put(h->options.controller, &out);
    request_set_header(rq, "Cache-Control", "no-store");
    request_reply_buf(rq, 200, "application/json", &out);
    buf_done(&out);
}

/* ---- routes ---- */

static const struct server_route plain_routes[] = {
    {NULL, "/-/ready", agent_http_ready, .always = true},
    {NULL, "/-/healthy", agent_http_healthy, .always = true},
    {"GET", "/-/reload", agent_http_reload, .origin = FROM_HERE},
    {"POST", "/-/reload", agent_http_reload, .origin = FROM_HERE},
    {"GET", "/-/support", agent_http_support, .origin = FROM_HERE},
    {"GET", "/metrics", agent_http_metrics, .origin = FROM_LINKS},
    {"GET", "/api/v0/jvms", agent_http_jvms, .origin = FROM_LINKS},
    {"GET", "/api/v0/record", agent_http_record, .origin = FROM_HERE},
    {"POST", "/api/v0/record/stop", agent_http_record_stop, .origin = FROM_HERE},
    {NULL, "/api/v0/component/*", agent_http_not_found},
};
/* Below the prefix. */
static const struct server_route web_routes[] = {
    {NULL, "api/v0/web/components", agent_http_components, .origin = FROM_LINKS},
    {NULL, "api/v0/web/components/*", agent_http_component, .origin = FROM_LINKS},
    {NULL, "api/v0/web/modules/*", agent_http_module_components, .origin = FROM_LINKS},
    {NULL, "api/v0/web/remotecfg/*", agent_http_no_remote},
    {NULL, "api/v0/web/peers", agent_http_peers},
    {"GET", "api/v0/web/jvms", agent_http_jvms, .origin = FROM_LINKS},
    {"POST", "api/v0/web/record", agent_http_record_page, .origin = FROM_HERE},
    {NULL, "api/v0/web/graph", agent_http_graph, .origin = FROM_HERE},
    {NULL, "api/v0/web/graph/*", agent_http_graph, .origin = FROM_HERE},
    {NULL, "api/v0/web/debug/*", agent_http_debug, .origin = FROM_HERE},
    {"GET", "api/v0/web/pipeline", agent_http_pipeline, .origin = FROM_LINKS},
    {"GET", "api/page", agent_http_page, .origin = FROM_LINKS},
    {"GET", "", agent_http_index},
};

/* "/", or with a '/' at both ends. */
static char *agent_http_clean_prefix(const char *said)
{
    struct str s = str_of(said ? said : "");
    while (s.n && s.p[0] == '/')
        s = (struct str){s.p + 1, s.n - 1};
    while (s.n && s.p[s.n - 1] == '/')
        s.n--;
    return s.n ? xasprintf("/%.*s/", STR_ARG(s)) : xstrdup("/");
}

static struct server_route *agent_http_make_routes(const char *prefix)
{
    enum { PLAIN = ARRAY_LEN(plain_routes), WEB = ARRAY_LEN(web_routes) };
    struct server_route *routes = xcalloc(PLAIN + WEB + 1, sizeof *routes);
    for (size_t i = 0; i < PLAIN; i++) {
        routes[i] = plain_routes[i];
        routes[i].path = xstrdup(plain_routes[i].path);
    }
    for (size_t i = 0; i < WEB; i++) {
        routes[PLAIN + i] = web_routes[i];
        routes[PLAIN + i].path = xasprintf("%s%s", prefix, web_routes[i].path);
    }
    return routes;
}

static void agent_http_free(struct agent_http *h)
{
    for (struct server_route *r = h->routes; r->path; r++)
        free((char *)r->path);
    free(h->routes);
    free(h->prefix);
    access_done(&h->access);
    free(h);
}

/* ---- who may ask ---- */

/* What the page is served is protected where the same is under another path: a filter may name only that. */
static const struct {
    const char *path, *as;
} same_as[] = {{"api/v0/web/jvms", "/api/v0/jvms"},
               {"api/v0/web/record", "/api/v0/record"},
               {"api/v0/web/pipeline", "/api/v0/web/components"},
               {"api/v0/web/pipeline", "/metrics"}};

static unsigned agent_http_guard(void *ctx, struct request *rq)
{
    struct agent_http *h = ctx;
    const struct str path = str_of(request_path(rq)), prefix = str_of(h->prefix);
    unsigned status = server_settings_guard(&h->access, rq);
    for (size_t i = 0; i < ARRAY_LEN(same_as) && !status && str_has_prefix(path, prefix); i++)
        if (strcmp(path.p + prefix.n, same_as[i].path) == 0)
            status = server_settings_guard_as(&h->access, rq, same_as[i].as);
    return status;
}

static void agent_http_problem(void *ctx, const char *what)
{
    struct agent_http *h = ctx;
    if (h->options.problem)
        h->options.problem(h->options.arg, what);
}

int agent_http_prepare(struct agent_http *h, const struct settings *s, struct err *err)
{
    return server_settings_prepare(h->server, &s->http, err);
}

void agent_http_apply(struct agent_http *h, const struct settings *s)
{
    server_commit(h->server);
    access_done(&h->access);
    access_init(&h->access, &s->http);
    h->has_tls = s->http.has_tls;
    agent_live_enable(h->live, s->live_debugging);
}

bool agent_http_is_open(const struct agent_http *h, const struct settings *s)
{
    cleanup_free char *path = xasprintf("%sapi/v0/web/components", h->prefix);
    return server_settings_leave_open(h->server, &s->http, &h->access, path);
}

/* ---- what a support bundle asks for ---- */

static void agent_http_put_flags(void *arg, struct buf *out)
{
    struct agent_http *h = arg;
    h->options.flags(h->options.arg, out);
}

static void agent_http_each_source(void *arg, void (*visit)(void *visit_arg, const struct config_file *file),
                                   void *visit_arg)
{
    struct agent_http *h = arg;
    h->options.sources(h->options.arg, visit, visit_arg);
}

/* ---- life ---- */

int agent_http_open(const struct agent_http_options *options, struct agent_http **ret, struct err *err)
{
    struct agent_http *h = xcalloc(1, sizeof *h);
    h->options = *options;
    h->options.listen = NULL;
    h->prefix = agent_http_clean_prefix(options->prefix);
    h->routes = agent_http_make_routes(h->prefix);
    const struct server_options server = {.loop = options->loop,
                                          .listen = options->listen,
                                          .routes = h->routes,
                                          .ctx = h,
                                          .guard = agent_http_guard,
                                          .problem = agent_http_problem,
                                          .allowed_hosts = options->allowed_hosts,
                                          .max_body = BODY_MAX};
    int code = server_open(&server, &h->server, err);
    if (code < 0) {
        agent_http_free(h);
        return code;
    }
    h->live = agent_live_new(options->loop, options->controller);
    h->record = agent_record_new(options->loop, options->controller);
    h->record_page = agent_record_page_new(options->loop, options->controller, options->parsers);
    h->bundle =
        agent_bundle_new(&(struct agent_bundle_options){.loop = options->loop,
                                                        .controller = options->controller,
                                                        .metrics = agent_http_put_metrics,
                                                        .arg = h,
                                                        .flags = options->flags ? agent_http_put_flags : NULL,
                                                        .sources = options->sources ? agent_http_each_source : NULL});
    *ret = h;
    return 0;
}

const char *agent_http_address(const struct agent_http *h)
{
    return server_address(h->server);
}

static void agent_http_on_all_closed(void *arg)
{
    struct agent_http *h = arg;
    void (*closed)(void *arg) = h->closed;
    void *closed_arg = h->closed_arg;
    agent_http_free(h);
    if (closed)
        closed(closed_arg);
}

static void agent_http_on_recordings_closed(void *arg)
{
    struct agent_http *h = arg;
    agent_bundle_free(TAKE_PTR(h->bundle), agent_http_on_all_closed, h);
}

static void agent_http_on_server_closed(void *arg)
{
    struct agent_http *h = arg;
    agent_live_free(TAKE_PTR(h->live));
    agent_record_free(TAKE_PTR(h->record));
    agent_record_page_close(TAKE_PTR(h->record_page), agent_http_on_recordings_closed, h);
}

void agent_http_close(struct agent_http *h, void (*closed)(void *arg), void *arg)
{
    if (!h)
        return;
    h->closed = closed;
    h->closed_arg = arg;
    server_close(h->server, agent_http_on_server_closed, h);
}

const char *agent_http_path(const struct agent_http *h)
{
    return h->prefix;
}
