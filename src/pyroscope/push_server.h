/* Takes pushes: the server's side of Connect unary call push.v1.PusherService/Push, protobuf or JSON, plain or gzip.
 *
 * A request goes through three steps: its headers are checked on the loop; its body is inflated and decoded in a worker; then, on the
 * loop again, `receive` gets the series. Whoever received them answers by push_server_accept(), push_server_refuse() or push_server_postpone(), at once or later. What does not get that
 * far is answered here, in the words of the reference. Bodies under way are bounded: beyond PUSH_BODIES_MAX senders are asked to
 * wait. Loop thread. Source: spec store-query §1.1-1.4.
 */
#pragma once

#include <stddef.h>
#include <uv.h>

#include "flow/series.h"
#include "net/server.h"
#include "pyroscope/connect.h"

enum { PUSH_BODIES_MAX = 96 << 20 };

struct push_server;
struct push_request; /* one push that waits for its answer */

struct push_delivery {
    const struct series *series; /* good until the answer */
    size_t count;
    size_t bytes; /* what keeping it takes */
};
typedef void push_receive(void *ctx, struct push_request *push, const struct push_delivery *delivery);

struct push_server *push_server_new(uv_loop_t *loop, push_receive *receive, void *ctx);
/* The handler of the route; answers the request, wrong ones, too. */
void push_server_handle(struct push_server *s, struct request *rq);
/* Exactly once per push, which is gone afterwards. */
void push_server_accept(struct push_request *push);
void push_server_refuse(struct push_request *push, enum connect_code code, const char *why);
/* Refuses for now: "unavailable", with Retry-After. */
void push_server_postpone(struct push_request *push, const char *why);
/* After the HTTP server is closed. Frees, then calls `closed` (may be NULL), once no push is under way any more, perhaps at once. NULL is
 * fine. */
void push_server_close(struct push_server *s, void (*closed)(void *arg), void *arg);
