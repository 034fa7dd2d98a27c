/* The store that smolder top asks: its address, who asks, and calls of its query API.
 *
 * `--from` names a store, any other server with Pyroscope's query API, or an agent, which says where its embedded store
 * listens (/api/page). Without it: the agent at its usual address, then a store at its usual one.
 */
#pragma once

#include <uv.h>

#include "base/err.h"
#include "base/str.h"

struct top_server;

struct top_server_options {
    uv_loop_t *loop;
    const char *from;       /* "" = the usual addresses */
    const char *token_file; /* "" = none */
};

/* Finds it; blocks, with the loop running. */
must_check int top_server_open(const struct top_server_options *options, struct top_server **ret, struct err *err);
/* Without secrets. */
const char *top_server_name(const struct top_server *s);

typedef void top_answered(void *arg, int code, struct str body, const struct err *err);
/* Calls a method of querier.v1.QuerierService with a message in JSON; `done` is called later, once, unless it is
 * cancelled. At most one call at a time. */
must_check int top_server_call(struct top_server *s, const char *method, struct str message, top_answered *done,
                               void *arg, struct err *err);
void top_server_cancel(struct top_server *s);
/* NULL is fine. */
void top_server_close(struct top_server *s);
