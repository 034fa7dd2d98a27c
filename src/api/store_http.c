#include "api/store_http_internal.h"

#include <stdlib.h>

#include "api/server_settings.h"
#include "base/cleanup.h"
#include "base/mem.h"
#include "pyroscope/push_message.h"
#include "ui/ui.h"

static void page(void *ctx, struct request *rq)
{
    (void)ctx;
    request_set_header(rq, "Cache-Control", "no-cache");
    request_set_header(rq, "Content-Security-Policy",
                       "default-src 'none'; script-src 'unsafe-inline'; style-src 'unsafe-inline'; img-src data:;"
                       " connect-src 'self'; frame-ancestors 'none'; base-uri 'none'; form-action 'none'");
    request_reply_static(rq, 200, "text/html; charset=utf-8", ui_page());
}

static void ready(void *ctx, struct request *rq)
{
    (void)ctx;
    request_reply_text(rq, 200, "ready\n");
}

static const struct server_route routes[] = {
    {"GET", "/", page},
    {"GET", "/ready", ready, .always = true},
    {"POST", PUSH_PATH, store_http_push, .origin = FROM_HERE},
    {"GET", "/api/services", store_http_services, .origin = FROM_LINKS},
    {"GET", "/api/types", store_http_types, .origin = FROM_LINKS},
    {"GET", "/api/flamegraph", store_http_flamegraph, .origin = FROM_LINKS},
    {"GET", "/api/timeline", store_http_timeline, .origin = FROM_LINKS},
    {"GET", "/api/jvms", store_http_jvms, .origin = FROM_LINKS},
    {0},
};

static unsigned guard(void *ctx, struct request *rq)
{
    struct store_http *h = ctx;
    return server_settings_guard(&h->auth, rq);
}

static void problem(void *ctx, const char *what)
{
    struct store_http *h = ctx;
    if (h->problem)
        h->problem(h->problem_arg, what);
}

int store_http_open(const struct store_http_options *options, struct store_http **ret, struct err *err)
{
    cleanup_free struct store_http *h = xcalloc(1, sizeof *h);
    h->loop = options->loop;
    h->store = options->store;
    h->controller = options->controller;
    h->problem = options->problem;
    h->problem_arg = options->problem_arg;
    int code = server_open(&(struct server_options){.loop = options->loop,
                                                    .listen = options->listen,
                                                    .allowed_hosts = options->allowed_hosts,
                                                    .routes = routes,
                                                    .guard = guard,
                                                    .problem = problem,
                                                    .ctx = h},
                           &h->server, err);
    if (code < 0)
        return code;
    h->pushes = push_server_new(h->loop, store_http_receive, h);
    *ret = TAKE_PTR(h);
    return 0;
}

const char *store_http_address(const struct store_http *h)
{
    return server_address(h->server);
}

int store_http_prepare(struct store_http *h, const struct settings *s, struct err *err)
{
    return server_settings_prepare(h->server, &s->http, err);
}

void store_http_apply(struct store_http *h, const struct settings *s)
{
    server_commit(h->server);
    agent_auth_done(&h->auth);
    agent_auth_init(&h->auth, &s->http);
}

bool store_http_is_open(const struct store_http *h, const struct settings *s)
{
    return server_settings_leave_open(h->server, &s->http, &h->auth, "/api/services");
}

static void free_when_done(struct store_http *h)
{
    if (!h->server_closed || h->jobs)
        return;
    if (h->closed)
        h->closed(h->closed_arg);
    agent_auth_done(&h->auth);
    free(h);
}

void store_http_job_begun(struct store_http *h)
{
    h->jobs++;
}

void store_http_job_done(struct store_http *h)
{
    h->jobs--;
    free_when_done(h);
}

static void on_pushes_closed(void *arg)
{
    struct store_http *h = arg;
    h->server_closed = true;
    free_when_done(h);
}

static void on_server_closed(void *arg)
{
    struct store_http *h = arg;
    push_server_close(h->pushes, on_pushes_closed, h);
}

void store_http_close(struct store_http *h, void (*closed)(void *arg), void *arg)
{
    if (!h)
        return;
    h->closed = closed;
    h->closed_arg = arg;
    server_close(h->server, on_server_closed, h);
}
