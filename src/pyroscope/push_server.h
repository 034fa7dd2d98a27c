/* Push server: the server side of the Connect unary call push.v1.PusherService/Push, protobuf or JSON, plain or gzip.
 *
 * A request has three steps: the headers are checked on the loop, the body is decoded in a worker (gzip and JSON in a
 * parser process, pyroscope/push_body.h), and `receive` gets the series, on the loop again. The receiver replies, at
 * once or later, with push_server_accept(), push_server_refuse(), push_server_set_aside() or push_server_postpone().
 * Earlier errors are answered here, with the messages of the reference.
 * All bodies in progress are limited to PUSH_BODIES_MAX; beyond that clients get "unavailable" and Retry-After.
 * Loop thread. Source: spec store-query §1.1-1.4.
 */
#pragma once

#include <stddef.h>
#include <uv.h>

#include "flow/series.h"
#include "net/server.h"
#include "parser/parser_pool.h"
#include "pyroscope/connect.h"

enum { PUSH_BODIES_MAX = 96 << 20 };

struct push_server;
struct push_request; /* one push without a reply yet */

struct push_delivery {
    const struct series *series; /* valid until the reply */
    size_t count;
    size_t bytes; /* memory held until the reply */
};
typedef void push_receive(void *ctx, struct push_request *push, const struct push_delivery *delivery);

struct push_server_options {
    uv_loop_t *loop;
    struct parser_pool *parsers; /* outlives the server; NULL: see parser/parser_batch.h */
    push_receive *receive;
    void *ctx;
    void (*problem)(void *arg, const char *what); /* pushes that were set aside, at most one a minute; may be NULL */
    void *problem_arg;
};
struct push_server *push_server_new(const struct push_server_options *options);
/* Handler of the route; replies to every request. */
void push_server_handle(struct push_server *s, struct request *rq);
/* Exactly one reply per push; it is freed by it. */
void push_server_accept(struct push_request *push);
void push_server_refuse(struct push_request *push, enum connect_code code, const char *why);
/* Replies "invalid_argument": parts of it ended the parser twice. */
void push_server_set_aside(struct push_request *push, const char *why);
/* Replies "unavailable" with Retry-After. */
void push_server_postpone(struct push_request *push, const char *why);
/* To be called after the HTTP server is closed. Frees and calls `closed` (may be NULL) once no push is in progress,
 * perhaps before it returns. NULL is allowed. */
void push_server_close(struct push_server *s, void (*closed)(void *arg), void *arg);
