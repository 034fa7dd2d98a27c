#include "api/store_http.h"

#include <stdlib.h>
#include <string.h>

#include "api/page/page_index.h"
#include "api/page/page_place.h"
#include "api/page/page_query.h"
#include "api/pyroscope/ingest_server.h"
#include "api/pyroscope/pyroscope_api.h"
#include "api/pyroscope/querier.h"
#include "api/shared/access.h"
#include "api/shared/jvms_json.h"
#include "api/shared/server_settings.h"
#include "api/shared/token_gate.h"
#include "base/cleanup.h"
#include "base/mem.h"
#include "pyroscope/push_message.h"

/* Pages that are left open keep theirs; agents and SDKs that push must not wait for them. */
enum { CONNECTIONS = 256 };

/* For probes, which have no token: it tells nothing. */
#define READY_PATH "/ready"

struct store_http {
    struct server *server;
    struct access access;
    struct token_gate gate;
    void (*problem)(void *arg, const char *what);
    void *problem_arg;
    struct push_server *pushes;
    struct page_queries *queries;
    struct querier *querier;
    struct ingest_server *ingests;
    struct controller *controller;
    char *agent, *agent_path; /* NULL = none */
    unsigned parts;           /* that are not closed yet */
    void (*closed)(void *arg);
    void *closed_arg;
};

/* What a route does, with its part of the server. */
#define HANDLER(name, call)                                                                                            \
    static void store_http_##name(void *ctx, struct request *rq)                                                       \
    {                                                                                                                  \
        const struct store_http *h = ctx;                                                                              \
        (void)h;                                                                                                       \
        call;                                                                                                          \
    }
HANDLER(push, push_server_handle(h->pushes, rq))
HANDLER(query, querier_handle(h->querier, rq))
HANDLER(ingest, ingest_server_handle(h->ingests, rq))
HANDLER(otlp, ingest_server_handle_otlp(h->ingests, rq))
HANDLER(render, querier_handle_render(h->querier, rq))
HANDLER(render_diff, querier_handle_render_diff(h->querier, rq))
HANDLER(label_values, querier_handle_label_values(h->querier, rq))
HANDLER(ready, pyroscope_api_ready(rq))
HANDLER(page, page_queries_handle(h->queries, rq))
HANDLER(jvms, jvms_json_reply(h->controller, rq))

static void store_http_place(void *ctx, struct request *rq)
{
    const struct store_http *h = ctx;
    page_place_reply(rq, &(struct page_place){.store = server_address(h->server),
                                              .store_token = h->gate.on,
                                              .agent = h->agent,
                                              .agent_path = h->agent_path});
}

static void store_http_index(void *ctx, struct request *rq)
{
    const struct store_http *h = ctx;
    if (!token_gate_redirect(&h->gate, rq))
        page_index(rq);
}

static const struct server_route routes[] = {
    {"GET", "/", store_http_index},
    {"GET", READY_PATH, store_http_ready, .always = true},
    {"POST", PUSH_PATH, store_http_push, .origin = FROM_HERE},
    {"POST", "/ingest", store_http_ingest, .origin = FROM_HERE},
    {"POST", "/pyroscope/ingest", store_http_ingest, .origin = FROM_HERE},
    {"POST", OTLP_PATH, store_http_otlp, .origin = FROM_HERE},
    {"POST", OTLP_EXPORT_PATH, store_http_otlp, .origin = FROM_HERE},
    {"POST", QUERIER_PATHS, store_http_query, .origin = FROM_HERE},
    {"POST", SETTINGS_PATHS, store_http_query, .origin = FROM_HERE},
    {"POST", VERSION_PATHS, store_http_query, .origin = FROM_HERE},
    {"GET", "/pyroscope/render", store_http_render, .origin = FROM_LINKS},
    {"GET", "/pyroscope/render-diff", store_http_render_diff, .origin = FROM_LINKS},
    {"GET", "/pyroscope/label-values", store_http_label_values, .origin = FROM_LINKS},
    {"GET", PAGE_PATHS, store_http_page, .origin = FROM_LINKS},
    {"POST", PAGE_PATHS, store_http_page, .origin = FROM_HERE},
    {"GET", "/api/jvms", store_http_jvms, .origin = FROM_LINKS},
    {"GET", "/api/page", store_http_place, .origin = FROM_LINKS},
    {0},
};

static unsigned store_http_guard(void *ctx, struct request *rq)
{
    struct store_http *h = ctx;
    const unsigned status = server_settings_guard(&h->access, rq);
    if (status || strcmp(request_path(rq), READY_PATH) == 0)
        return status;
    return token_gate_guard(&h->gate, rq);
}

static void store_http_problem(void *ctx, const char *what)
{
    struct store_http *h = ctx;
    if (h->problem)
        h->problem(h->problem_arg, what);
}

int store_http_open(const struct store_http_options *options, struct store_http **ret, struct err *err)
{
    cleanup_free struct store_http *h = xcalloc(1, sizeof *h);
    h->controller = options->controller;
    h->problem = options->problem;
    h->problem_arg = options->problem_arg;
    int code = server_open(&(struct server_options){.loop = options->loop,
                                                    .listen = options->listen,
                                                    .allowed_hosts = options->allowed_hosts,
                                                    .routes = routes,
                                                    .guard = store_http_guard,
                                                    .connections = CONNECTIONS,
                                                    .problem = store_http_problem,
                                                    .ctx = h},
                           &h->server, err);
    if (code < 0)
        return code;
    token_gate_init(&h->gate, options->token, server_port(h->server));
    h->pushes = pyroscope_api_pushes(
        (struct push_server_options){
            .loop = options->loop, .parsers = options->parsers, .problem = store_http_problem, .problem_arg = h},
        options->store);
    h->queries = page_queries_new(options->store);
    h->ingests = ingest_server_new(
        &(struct ingest_server_options){.loop = options->loop, .store = options->store, .parsers = options->parsers});
    h->querier = querier_new(
        &(struct querier_options){.loop = options->loop, .store = options->store, .parsers = options->parsers});
    *ret = TAKE_PTR(h);
    return 0;
}

const char *store_http_address(const struct store_http *h)
{
    return server_address(h->server);
}

void store_http_set_token(struct store_http *h, const char *token)
{
    token_gate_set(&h->gate, token);
}

void store_http_set_agent(struct store_http *h, const char *address, const char *path)
{
    free(h->agent);
    free(h->agent_path);
    h->agent = xstrdup(address);
    h->agent_path = xstrdup(path);
}

int store_http_prepare(struct store_http *h, const struct settings *s, struct err *err)
{
    return server_settings_prepare(h->server, &s->http, err);
}

void store_http_apply(struct store_http *h, const struct settings *s)
{
    server_commit(h->server);
    access_done(&h->access);
    access_init(&h->access, &s->http);
}

bool store_http_is_open(const struct store_http *h, const struct settings *s)
{
    return !h->gate.on && server_settings_leave_open(h->server, &s->http, &h->access, "/api/services");
}

static void store_http_on_part_closed(void *arg)
{
    struct store_http *h = arg;
    if (--h->parts)
        return;
    if (h->closed)
        h->closed(h->closed_arg);
    access_done(&h->access);
    token_gate_done(&h->gate);
    free(h->agent);
    free(h->agent_path);
    free(h);
}

static void store_http_on_server_closed(void *arg)
{
    struct store_http *h = arg;
    h->parts = 4;
    push_server_close(h->pushes, store_http_on_part_closed, h);
    ingest_server_close(h->ingests, store_http_on_part_closed, h);
    querier_close(h->querier, store_http_on_part_closed, h);
    page_queries_close(h->queries, store_http_on_part_closed, h);
}

void store_http_close(struct store_http *h, void (*closed)(void *arg), void *arg)
{
    if (!h)
        return;
    h->closed = closed;
    h->closed_arg = arg;
    server_close(h->server, store_http_on_server_closed, h);
}
