/* Builds a flame graph: stacks with values in, a tree by function name out. Used by the store's page and by
 * `smolder convert`.
 *
 * Names are interned once per graph; nodes hold (parent, name). Both are limited: beyond the limit a stack ends at its
 * deepest known frame, and `truncated` is set. Totals are valid after flame_finish(). One owner, any thread.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/id_map.h"
#include "base/map.h"
#include "base/str.h"
#include "pprof/symbols.h"

/* Enough to look at, and little enough for a server to answer many. */
enum { FLAME_NODES_MAX = 1 << 18, FLAME_NAME_BYTES_MAX = 16 << 20 };

struct flame_node {
    uint32_t parent, name;              /* parent < own index; node 0 is the root, named "total" */
    uint32_t first_child, next_sibling; /* after flame_finish(); 0 = none; children by total, largest first. Before, the
                                         * first is the child that was asked for last. */
    int64_t self, total;
};

struct flame {
    struct flame_node *nodes;
    size_t node_count, node_cap;
    struct str *names; /* in `text` */
    size_t name_count, name_cap;
    struct arena text;
    struct strmap name_ids; /* id + 1 as a pointer */
    struct u64map children; /* parent << 32 | name -> node */
    size_t nodes_max;       /* of nodes, and of names */
    bool truncated;
};

void flame_init(struct flame *f, size_t nodes_max, size_t name_bytes_max);
void flame_done(struct flame *f);
#define cleanup_flame __attribute__((cleanup(flame_done)))

/* Bytes it has, and what a node takes at least. */
enum { FLAME_NODE_BYTES = 64 };
size_t flame_bytes(const struct flame *f);

/* Id of a name, for use as a frame; copies it. FLAME_NO_NAME beyond the cap. */
enum { FLAME_NO_NAME = -1 };
int64_t flame_name(struct flame *f, struct str name);
/* The child of `node` called `name`, made if need be; `node` itself beyond the cap. */
uint32_t flame_step(struct flame *f, uint32_t node, int64_t name);
/* A sum that stops at the largest number: foreign values may be anything. */
static inline int64_t flame_sum(int64_t a, int64_t b)
{
    int64_t sum;
    return __builtin_add_overflow(a, b, &sum) ? INT64_MAX : sum;
}
static inline void flame_add(struct flame *f, uint32_t node, int64_t value)
{
    f->nodes[node].self = flame_sum(f->nodes[node].self, value);
}

/* Names of the locations of one set of symbols, each looked up once. Ends, and starts afresh, with those symbols. */
struct flame_frames {
    struct id_map ids; /* by location: name + 2; 1 = no name, 0 = not asked yet */
};
void flame_frames_done(struct flame_frames *frames);
#define cleanup_flame_frames __attribute__((cleanup(flame_frames_done)))
/* The node of a whole stack beneath `node`. */
uint32_t flame_stack(struct flame *f, struct flame_frames *frames, uint32_t node, const struct symbols *symbols,
                     uint32_t stack);

/* Computes totals and children from what nodes have of their own; again after that has changed. */
void flame_finish(struct flame *f);
/* The total from which a node beneath `at` is among the `max` largest: render those with total >= this. 1 when all
 * fit. */
int64_t flame_threshold(const struct flame *f, uint32_t at, size_t max);
/* The node that a stack of names leads to, or as far as it is known. */
uint32_t flame_find(const struct flame *f, const struct str *names, size_t n);
