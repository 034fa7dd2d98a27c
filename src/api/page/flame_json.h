/* JSON of a flame graph for the web page. Any thread.
 *
 *     "nodes":[depth,name,self,total, …],"names":["total", …]
 *
 * Nodes in preorder, children by total; children below the threshold are summed up as one child "(other)". Of what is
 * beneath one node only, the nodes above it come first, each with that one child. Names are indexes into `names`, in
 * order of first use. Of two sides compared a node has self and total twice, those of before first; which ones are
 * printed and their order is told by the totals of the graph. The HTML report uses another format, a table
 * (pprof/flame_table.h).
 */
#pragma once

#include "base/buf.h"
#include "pprof/flame_pair.h"

struct flame_json {
    struct flame *flame; /* after flame_finish(); gets the name "(other)" */
    uint32_t at;         /* the node beneath which the graph is wanted, 0 = all */
    size_t nodes;        /* maximum number of printed nodes beneath it, "(other)" not counted */
    /* Also "top":[name,self, …]: the names with the largest self values in the whole graph, including nodes below the
     * threshold. Where stacks begin at the leaf, `leaf_depth` says at which depth that is (0: at their ends): what
     * such a node has in all is what its function has of its own. */
    bool top;
    unsigned leaf_depth;
    const int64_t *self[FLAME_SIDES], *total[FLAME_SIDES]; /* by node; NULL: one side, that of the graph */
};

/* Appends the members. */
void flame_json_put(const struct flame_json *j, struct buf *out);
