/* Blocks: profiles of one service, split into what and how much. A block has one tree of stacks; a slice of it has
 * consecutive profiles of one series as rows of (node, value).
 *
 * Trees, rows and sums are blobs: made and read in parser processes alone, kept by the main process, which decodes
 * none. A blob has a kind, a version and a checksum, so that damage ends where it is. What a process that was taken
 * over can leave in one is stacks and values that it makes up.
 *
 * A tree only grows: its nodes keep their numbers, so that rows made with an earlier version of it stay valid.
 */
#pragma once

#include "base/cursor.h"
#include "parser/parser_service.h"
#include "store/block_wants.h"

/* Of one tree; a block that is full is followed by another. Slices of one request. Bytes of an answer of each
 * service. */
enum { BLOCK_NODES_MAX = 1 << 20, BLOCK_SLICES_MAX = 1 << 18, BLOCK_ANSWER_MAX = 64 << 20 };

struct block_slice {
    struct str rows;
    struct str sum; /* all rows added up; empty where the rows are as fast to add */
    uint32_t count; /* rows */
};

/* ---- store.pack: stored bodies become rows ---- */

/* Item: one block, its tree as it was before, and bodies. One item at a time. -EBADMSG: the tree is damaged, and the
 * bodies need another block. */
extern const struct parser_service block_pack_service;

/* Samples of one split and type: the next row of a slice. */
struct block_part {
    int64_t split; /* store/splits.h */
    uint32_t type; /* index of the sample type */
    uint32_t slice;
};
struct block_body {
    struct str pprof; /* as stored */
    const struct block_part *parts;
    size_t part_count;
};
/* `tree` is empty for a new block. About 4 MiB of bodies when inflated. */
void block_pack_request(struct str tree, const struct block_body *bodies, size_t n, uint32_t slices, struct buf *head,
                        struct buf *bytes);
/* What became of the bodies, in their order. */
enum block_fate {
    BLOCK_PACKED, /* each of its parts is a row */
    BLOCK_BAD,    /* could not be decoded, as in store/flame_merge.h, or is too large alone: its rows are empty */
    BLOCK_LEFT,   /* the block is full, or the request too large: no rows; for the next request, or another block */
};
struct block_packed {
    struct str tree; /* borrowed from the answer, like the slices */
    uint32_t nodes;
    bool full;                  /* bodies are left, as the tree is full: another block takes them */
    struct block_slice *slices; /* as many as asked for; owned */
    size_t slice_count;
    const uint8_t *fates; /* enum block_fate per body: those that are left are the last; never all of a new block */
    size_t body_count;
};
void block_packed_done(struct block_packed *p);
#define cleanup_block_packed __attribute__((cleanup(block_packed_done)))
/* A parser_check (parser/parser_batch.h). That the numbers of slices, bodies and rows are those of the request is for
 * the caller to compare. */
must_check int block_pack_check(void *arg, size_t n, struct str answer, struct err *err);
must_check int block_pack_read(struct str answer, struct block_packed *ret, struct err *err);

/* ---- store.join: slices become one ---- */

/* Items: slices of one series in one block, in order. Rows keep their order. */
extern const struct parser_service block_join_service;
void block_join_request(const struct str *rows, size_t n, struct buf *head, struct buf *bytes);
/* A parser_check: an answer per item. */
must_check int block_join_check(void *arg, size_t n, struct str answer, struct err *err);
/* The next answer, borrowed. Without rows (count 0): one of the slices is damaged, together they are too large, or they
 * have no rows; they stay as they are. -EBADMSG. */
must_check int block_join_read(struct cursor *c, struct block_slice *ret, struct err *err);

/* ---- store.block: rows become a tree ---- */

/* Items: what is asked (store/flame_ask.h), then a block and what is wanted of it (store/block_wants.h). The answer is
 * that of store/flame_merge.h, with its check. Blobs that are damaged are left out and counted there
 * (flame_merge_damaged()). */
extern const struct parser_service block_flame_service;
