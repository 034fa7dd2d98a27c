/* One function of a flame graph: who calls it, and what it calls, of all stacks it is on.
 *
 * A stack counts once, by the outermost frame of the function; what is called by that is below it in the callees, with
 * further frames of the function. So the total of both trees is the function's (pprof/flame_functions.h). The root of
 * either stands for the function and has its name. One owner, any thread.
 */
#pragma once

#include "pprof/flame.h"

/* `to` is an empty graph, `name` one of `from`. Where it is full, it is truncated. */
void flame_callees(struct flame *to, const struct flame *from, uint32_t name);
/* A child is a caller; what the last one has of its own came by exactly this way. After flame_finish(from). */
void flame_callers(struct flame *to, const struct flame *from, uint32_t name);
