/* A flame graph as the page reads it. Any thread.
 *
 *     "nodes":[depth,name,self,total, …],"top":[name,self, …],"names":["total", …]
 *
 * Nodes in preorder, children by total; those below the threshold appear as one child "(other)" of their parent. `top` has the names with
 * the largest own values over the whole tree, also where their frames were too small to be printed. Names are numbers in `names`, in the
 * order of their use. Everywhere else in this program a flame graph is a table (pprof/flame_table.h).
 */
#pragma once

#include "base/buf.h"
#include "pprof/flame.h"

/* Appends the three members. `nodes`: how many are printed at most, and somewhat more where small ones are summed up. After
 * flame_finish(); may add the name "(other)" to the graph. */
void flame_json_put(struct flame *f, size_t nodes, struct buf *out);
