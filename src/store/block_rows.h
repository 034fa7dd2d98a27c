/* Rows of a slice, and their sum, as blobs (store/block_blob.h).
 *
 * A row is what one profile has: nodes with a value each, and the ids of spans and traces where samples had some. Nodes
 * are ranked by how many rows have them: most of a row are those that most rows have, so that the differences of its
 * ascending ranks are small. Values are divided by what they have in common.
 */
#pragma once

#include "base/id_map.h"
#include "store/block_ids.h"

/* Values of all rows of a slice. */
enum { BLOCK_VALUES_MAX = 1 << 22 };

struct block_value {
    uint32_t node;
    uint32_t ids;  /* store/block_ids.h */
    int64_t value; /* more than 0 */
};
struct block_row {
    const struct block_value *values; /* in any order; a pair of node and ids may come twice */
    size_t count;
    int64_t period; /* of the profile */
};

/* ---- writing ---- */

/* Takes two passes: all rows are counted, then the same rows are added. */
struct block_rows_maker {
    struct id_map ranks; /* by node: rows that have it, later its rank + 1 */
    size_t nodes_end;    /* the largest node that was counted, + 1 */
    uint32_t *nodes;     /* by rank; owned */
    int64_t *sums;       /* by rank; owned */
    size_t rank_count;
    struct buf heads, deltas, values, ids; /* columns */
    uint32_t row_count;
    size_t value_count;
    int64_t period, longest; /* of the last row; of all */
    struct block_value *row; /* owned; the one at hand, by rank */
    size_t row_cap;
    bool failed; /* no memory */
};
#define BLOCK_ROWS_MAKER_INIT                                                                                          \
    ((struct block_rows_maker){.heads = BUF_INIT(BLOCK_PLAIN_MAX),                                                     \
                               .deltas = BUF_INIT(BLOCK_PLAIN_MAX),                                                    \
                               .values = BUF_INIT(BLOCK_PLAIN_MAX),                                                    \
                               .ids = BUF_INIT(BLOCK_PLAIN_MAX)})
void block_rows_maker_done(struct block_rows_maker *m);
#define cleanup_block_rows_maker __attribute__((cleanup(block_rows_maker_done)))
void block_rows_count(struct block_rows_maker *m, const struct block_row *row);
/* When all are counted. */
void block_rows_rank(struct block_rows_maker *m);
void block_rows_add(struct block_rows_maker *m, const struct block_row *row);
/* Appends the blobs; a sum only where it is faster to read than the rows. -EMSGSIZE: the rows are too large; -ENOSPC:
 * an output is full; -ENOMEM. */
must_check int block_rows_put(const struct block_rows_maker *m, const struct block_ids *ids, struct gzip_packer *packer,
                              struct buf *rows, struct buf *sum);

/* ---- reading ---- */

struct block_rows {
    uint32_t row_count;
    struct block_ids ids;
    /* Private from here. */
    struct buf room;
    uint32_t *nodes; /* by rank; owned */
    size_t rank_count, values_left;
    uint32_t next;
    int64_t period;
    struct cursor heads, deltas, values, set_numbers;
    struct block_value *row; /* owned */
    size_t row_cap;
};
void block_rows_done(struct block_rows *r);
#define cleanup_block_rows __attribute__((cleanup(block_rows_done)))
/* -EBADMSG, -ENOMEM. */
must_check int block_rows_open(struct str blob, struct block_rows *ret, struct err *err);
/* The next row, valid until the next call. Nodes are below BLOCK_NODES_MAX, each pair of node and ids comes once. 1; 0:
 * there is none left; -EBADMSG, -ENOMEM. */
must_check int block_rows_next(struct block_rows *r, struct block_row *ret, struct err *err);

/* As one row, without ids; its period is the longest. To be freed: `values`. */
struct block_sum {
    struct block_value *values; /* owned; nodes ascend */
    size_t count;
    int64_t period;
};
void block_sum_done(struct block_sum *s);
#define cleanup_block_sum __attribute__((cleanup(block_sum_done)))
must_check int block_sum_read(struct str blob, struct block_sum *ret, struct err *err);
