/* The tree of a block as a blob (store/block_blob.h): strings, functions, frames and nodes, each a column of numbers,
 * in the order in which they were added, so that a tree can grow without a change of what is there.
 *
 * A frame is a function and a line, a node is a parent and a frame. What followed a frame the last time is what mostly
 * follows it again, and the last node of a depth is mostly the parent of the next one below: nodes are stored as how
 * they differ from that.
 */
#pragma once

#include "pprof/symbols.h"
#include "store/block_blob.h"

enum {
    BLOCK_SYMBOLS_MAX = 1 << 20, /* strings, functions and frames, of each */
    BLOCK_TEXT_MAX = 32 << 20,   /* bytes of all strings */
};

struct block_node {
    uint32_t parent; /* smaller than the own number, but of the first, the root, which has no frame */
    uint32_t frame;
};
struct block_tree {
    const struct str *strings; /* string 0 is "" */
    const struct pprof_function *functions;
    const struct pprof_location *frames;
    const struct block_node *nodes;
    uint32_t string_count, function_count, frame_count, node_count;
    /* Private from here. */
    struct buf content;
    void *owned[4];
};
void block_tree_done(struct block_tree *t);
#define cleanup_block_tree __attribute__((cleanup(block_tree_done)))

/* All indices in it can be used. -EBADMSG, -ENOMEM. */
must_check int block_tree_read(struct str blob, struct block_tree *ret, struct err *err);
/* Appends the blob. -EMSGSIZE, -ENOSPC, -ENOMEM. */
must_check int block_tree_put(const struct block_tree *t, struct gzip_packer *packer, struct buf *out);
