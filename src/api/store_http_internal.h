/* Shared by the parts of the store's HTTP API; private to them. */
#pragma once

#include "api/agent_auth.h"
#include "api/store_http.h"
#include "net/server.h"

struct store_http {
    uv_loop_t *loop;
    struct server *server;
    struct agent_auth auth;
    void (*problem)(void *arg, const char *what);
    void *problem_arg;
    struct store *store;
    struct controller *controller;
    unsigned jobs;  /* under way in workers or in the store */
    size_t pushing; /* bytes of their bodies */
    bool server_closed;
    void (*closed)(void *arg);
    void *closed_arg;
};

void store_http_job_begun(struct store_http *h);
/* Frees the front when it was closed and this was the last. */
void store_http_job_done(struct store_http *h);

/* Handlers; ctx is the struct store_http. */
void store_http_push(void *ctx, struct request *rq);
void store_http_services(void *ctx, struct request *rq);
void store_http_types(void *ctx, struct request *rq);
void store_http_flamegraph(void *ctx, struct request *rq);
void store_http_timeline(void *ctx, struct request *rq);
void store_http_jvms(void *ctx, struct request *rq);
