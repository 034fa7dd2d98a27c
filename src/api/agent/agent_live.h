/* Live debugging: streams of the data passed between components, if `livedebugging` is enabled.
 *
 *     graph   per window, a JSON array of {"componentID","targetComponentIDs","type","rate"} for the components that
 *             passed data on: targets or profiles per second
 *     debug   per second, the exports of one component if they changed, otherwise the number of profiles it passed on
 *
 * Messages end with "|;|". At most LIVE_MAX streams. Source: spec alloy-language §8.1. Loop thread.
 */
#pragma once

#include <uv.h>

#include "graph/controller.h"
#include "net/server.h"

enum { LIVE_MAX = 8 };

struct agent_live; /* all streams of one server */

struct agent_live *agent_live_new(uv_loop_t *loop, struct controller *c);
/* Disabling ends all streams. */
void agent_live_enable(struct agent_live *l, bool enabled);
/* To be called after the server is closed. NULL is allowed. */
void agent_live_free(struct agent_live *l);

/* Both reply to every request, invalid ones included. `module_id`: "" is the root. */
void agent_live_graph(struct agent_live *l, struct request *rq, const char *module_id);
void agent_live_debug(struct agent_live *l, struct request *rq, const char *component_id);
