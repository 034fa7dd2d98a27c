/* A tree that grows: what is there keeps its numbers, what comes gets the next.
 *
 * Its limits are those of store/block_tree.h, so that what was put can be read. Where something does not fit, a
 * function gives SYMBOLS_FULL; what was added before stays, and is put only where the size includes it.
 */
#pragma once

#include "pprof/hash_index.h"
#include "store/block_tree.h"

struct grown_tree {
    struct symbols dictionary; /* its numbers are those of the tree */
    struct block_node *nodes;  /* owned */
    size_t node_count, node_cap;
    struct hash_index children;
};
void grown_tree_done(struct grown_tree *g);

/* From a tree as it was stored; of an empty blob the root alone. `g` is zeroed, and to be done in any case. -EBADMSG,
 * -ENOMEM. */
must_check int grown_tree_begin(struct grown_tree *g, struct str blob, struct err *err);
/* The frame for a location of other symbols. */
uint32_t grown_tree_frame(struct grown_tree *g, const struct symbols *s, uint32_t location);
/* The child of a node, made if need be. */
uint32_t grown_tree_child(struct grown_tree *g, uint32_t parent, uint32_t frame, bool *added);

/* How far a tree has grown. */
struct grown_size {
    size_t strings, functions, frames, nodes;
};
struct grown_size grown_tree_size(const struct grown_tree *g);
/* Appends the tree as it was at that size. As block_tree_put(). */
must_check int grown_tree_put(const struct grown_tree *g, const struct grown_size *size, struct gzip_packer *packer,
                              struct buf *out);
