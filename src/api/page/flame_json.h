/* JSON of a flame graph for the web page. Any thread.
 *
 *     "nodes":[depth,name,self,total, …],"top":[name,self, …],"names":["total", …]
 *
 * Nodes in preorder, children by total; children below the threshold are summed up as one child "(other)". Of what is
 * beneath one node only, the nodes above it come first, each with that one child. `top` lists the names with the
 * largest self values in the whole graph, including nodes below the threshold. Names are indexes into `names`, in order
 * of first use. The HTML report uses another format, a table (pprof/flame_table.h).
 */
#pragma once

#include "base/buf.h"
#include "pprof/flame.h"

/* Appends the three members. `at`: the node beneath which the graph is wanted, 0 = all. `nodes`: maximum number of
 * printed nodes beneath it, "(other)" not counted. To be called after flame_finish(); adds the name "(other)" to the
 * graph. */
void flame_json_put(struct flame *f, uint32_t at, size_t nodes, struct buf *out);
