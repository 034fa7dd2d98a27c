/* Endless replies that show what happens in the graph, for whoever has `livedebugging` enabled.
 *
 *     graph   each window a JSON array of {"componentID","targetComponentIDs","type","rate"}, for the components that handed something
 *             on: things per second, targets or profiles
 *     debug   each second what one component handed on since: the lists it exports when they have changed, else how many
 *
 * Every piece ends in "|;|". At most LIVE_MAX of them at once. Source: spec alloy-language §8.1. Loop thread.
 */
#pragma once

#include <uv.h>

#include "graph/controller.h"
#include "net/server.h"

enum { LIVE_MAX = 8 };

struct agent_live; /* all streams of one server */

struct agent_live *agent_live_new(uv_loop_t *loop, struct controller *c);
/* Turning it off ends every stream. */
void agent_live_enable(struct agent_live *l, bool enabled);
/* After the server is closed. NULL is fine. */
void agent_live_free(struct agent_live *l);

/* Both answer the request, wrong ones, too. `module_id`: "" is the root. */
void agent_live_graph(struct agent_live *l, struct request *rq, const char *module_id);
void agent_live_debug(struct agent_live *l, struct request *rq, const char *component_id);
