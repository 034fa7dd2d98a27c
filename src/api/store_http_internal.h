/* What the store's front is made of; private to its parts. */
#pragma once

#include "api/agent_auth.h"
#include "api/store_http.h"
#include "net/server.h"
#include "pyroscope/push_server.h"

struct store_http {
    uv_loop_t *loop;
    struct server *server;
    struct agent_auth auth;
    void (*problem)(void *arg, const char *what);
    void *problem_arg;
    struct store *store;
    struct controller *controller;
    struct push_server *pushes;
    unsigned jobs; /* queries under way */
    bool server_closed;
    void (*closed)(void *arg);
    void *closed_arg;
};

void store_http_job_begun(struct store_http *h);
/* Frees the front when it was closed and this was the last. */
void store_http_job_done(struct store_http *h);

/* Handlers; ctx is the struct store_http. */
void store_http_receive(void *ctx, struct push_request *push, const struct push_delivery *d);
void store_http_push(void *ctx, struct request *rq);
void store_http_services(void *ctx, struct request *rq);
void store_http_types(void *ctx, struct request *rq);
void store_http_flamegraph(void *ctx, struct request *rq);
void store_http_timeline(void *ctx, struct request *rq);
void store_http_jvms(void *ctx, struct request *rq);
