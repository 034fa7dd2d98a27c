/* A whole profile as a tree by function name: its nodes in a flame, and for each sample type what every node has of its
 * own. What the pictures of `smolder convert` are made of; labels are ignored, negative values count nothing.
 */
#pragma once

#include "pprof/flame.h"
#include "pprof/profile.h"

struct flame_table {
    struct flame flame; /* its nodes have no values of their own */
    int64_t *self;      /* owned; flame_table_self() */
    size_t columns;     /* sample types of the profile */
};

/* The node of a stack that counts in the profile, or is added. `known` is by stack: number + 1; 0 = not asked yet. */
uint32_t flame_table_node(struct flame_table *t, struct flame_frames *frames, struct id_map *known,
                          const struct symbols *symbols, uint32_t stack);
void flame_table_init(struct flame_table *t, const struct profile *p);
void flame_table_done(struct flame_table *t);
#define cleanup_flame_table __attribute__((cleanup(flame_table_done)))

static inline int64_t *flame_table_self(const struct flame_table *t, uint32_t node)
{
    return &t->self[node * t->columns];
}
