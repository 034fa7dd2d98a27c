/* A flame graph under construction: stacks with values in, a tree by function name out.
 *
 * Names are interned once per graph; nodes hold (parent, name). Both are capped: beyond the cap a stack ends early, at the deepest frame
 * that is known, and `truncated` says so. Totals exist after flame_finish(). One owner, any thread.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/map.h"
#include "base/str.h"

enum { FLAME_NODES_MAX = 1 << 18, FLAME_NAME_BYTES_MAX = 16 << 20 };

struct flame_node {
    uint32_t parent, name;              /* parent < own index; node 0 is the root, named "total" */
    uint32_t first_child, next_sibling; /* after flame_finish(); 0 = none; children by total, largest first */
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
    bool truncated;
};

void flame_init(struct flame *f);
void flame_done(struct flame *f);
#define cleanup_flame __attribute__((cleanup(flame_done)))

/* Id of a name, for use as a frame; copies it. FLAME_NO_NAME beyond the cap. */
enum { FLAME_NO_NAME = -1 };
int64_t flame_name(struct flame *f, struct str name);
/* The child of `node` called `name`, made if need be; `node` itself beyond the cap. */
uint32_t flame_step(struct flame *f, uint32_t node, int64_t name);
static inline void flame_add(struct flame *f, uint32_t node, int64_t value)
{
    f->nodes[node].self += value;
}

/* Computes totals and children. No steps afterwards. */
void flame_finish(struct flame *f);
/* The total from which a node is among the `max` largest: render those with total >= this. 1 when all fit. */
int64_t flame_threshold(const struct flame *f, size_t max);
