/* The functions of a flame graph with the largest totals, and who calls whom, as a graph of Graphviz. Any thread.
 *
 * A function counts once per stack, however often it is on it. Calls between functions that are not drawn are left out.
 */
#pragma once

#include "base/buf.h"
#include "pprof/flame.h"

enum { FLAME_DOT_NODES = 100 };

/* `type` names the graph. Nothing is appended where the flame has no values. */
void flame_dot_put(const struct flame *f, struct str type, size_t nodes, struct buf *out);
