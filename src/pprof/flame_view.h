/* A flame graph as somebody wants to look at it: without some stacks or frames, repetitions told once, from the leaf
 * up.
 *
 * The same for merged graphs as pprof/view.h for profiles. What frames are meant is told by name, so that any kind of
 * pattern will do. Steps are done in the order of the members. One owner, any thread.
 */
#pragma once

#include "pprof/flame.h"

struct flame_view {
    /* By name of the graph; NULL: none. */
    const bool *only;    /* stacks without such a frame are left out */
    const bool *without; /* stacks with such a frame are left out */
    const bool *hidden;  /* such frames are left out: what they have counts for the frame that called them */
    const bool *folded;  /* of such frames one above the other the outermost stays */
    /* Frames that repeat those right above them, up to FLAME_CYCLE_MAX together, are left out: of visit, accept, visit,
     * accept the first two stay. What a function has of its own and in all does not change by that. */
    bool recursion;
    bool callers; /* the leaf is the root */
};
enum { FLAME_CYCLE_MAX = 8 };

/* Is there anything to do? */
bool flame_view_changes(const struct flame_view *v);
/* `to` is an empty graph; it gets no node without a value. Where it is full, it is truncated. */
void flame_view_apply(struct flame *to, const struct flame *from, const struct flame_view *v);
