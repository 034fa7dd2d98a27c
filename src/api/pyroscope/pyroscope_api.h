/* Pyroscope's API of the store, for agents.
 *
 *     POST /push.v1.PusherService/Push   Connect unary, protobuf or JSON, gzip (pyroscope/push_server.h)
 *     GET  /ready                        "ready"
 *
 * Loop thread.
 */
#pragma once

#include "net/server.h"
#include "pyroscope/push_server.h"
#include "store/store.h"

/* Stores what is pushed. `store` must outlive the result; the receiver in `options` is set here. */
struct push_server *pyroscope_api_pushes(struct push_server_options options, struct store *store);
void pyroscope_api_ready(struct request *rq);
