/* A flame graph as Pyroscope draws it: levels of bars from the root down, siblings by name; and as its tree format.
 *
 * A bar is x, total, self, name; of two sides compared, x, total, self of each, and the name. x counts from the end of
 * the bar to its left. A frame's own value comes first, then its children. Beyond the nodes asked for, children with
 * less than a threshold become one last child "other"; nodes as large as the threshold all stay, as in Pyroscope. Names
 * are numbered from "total", the root, on. Any thread. Source: spec store-query §3.4.
 */
#pragma once

#include "base/buf.h"
#include "pprof/flame_pair.h"

struct flame_levels {
    const struct flame *flame;                       /* its shape and names; values of its own are not used */
    size_t sides;                                    /* 1 or 2 */
    int64_t *self[FLAME_SIDES], *total[FLAME_SIDES]; /* by node; owned */
    int64_t threshold;
    uint32_t *first, *next; /* children by name: node, 0 = none; owned */
};

/* One side: the values of the flame itself. `nodes`: how many to keep. */
void flame_levels_init(struct flame_levels *l, const struct flame *f, size_t nodes);
/* Two sides: all frames of both are added to `both`, an empty flame with room for them. */
void flame_levels_compare(struct flame_levels *l, struct flame *both, const struct flame *left,
                          const struct flame *right, size_t nodes);
void flame_levels_done(struct flame_levels *l);
#define cleanup_flame_levels __attribute__((cleanup(flame_levels_done)))

/* Whether a node is drawn, and not a part of "other". */
static inline bool flame_levels_keeps(const struct flame_levels *l, uint32_t node)
{
    const int64_t right = l->sides == FLAME_SIDES ? l->total[1][node] : 0, sum = flame_sum(l->total[0][node], right);
    return sum > 0 && sum >= l->threshold;
}

/* Appends querier.v1.FlameGraph or FlameGraphDiff. */
void flame_levels_put(const struct flame_levels *l, struct buf *out);
/* Appends the bytes of the tree format, of the first side. */
void flame_levels_put_tree(const struct flame_levels *l, struct buf *out);
