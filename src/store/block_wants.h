/* What a service is asked about a block (store/block.h): its tree, slices of it, and which of their rows. Sent behind
 * what is asked in the head of an item; blobs are its bytes.
 */
#pragma once

#include "base/buf.h"
#include "base/cursor.h"

struct block_want {
    struct str blob;
    bool is_sum;          /* of all rows; not where these are asked about one by one */
    const uint32_t *rows; /* ascending; NULL = all */
    size_t row_count;
    uint32_t number; /* of the first row that is wanted, for answers about rows; the others follow */
};
/* `tree` may be empty where it is not asked about. */
void block_wants_put(struct str tree, const struct block_want *wants, size_t n, struct buf *head, struct buf *bytes);

/* ---- the parser process ---- */

struct block_wants {
    struct str tree;
    /* Private from here. */
    struct cursor wants, rows, blobs;
};
/* `head`: what is left of it. False: not such a request. */
must_check bool block_wants_read(struct str head, struct str bytes, struct block_wants *ret);

struct block_wanted {
    struct str blob;
    bool is_sum, all;
    uint32_t number; /* of the next row that is wanted */
    /* Private from here. */
    struct str rows;
};
/* 1; 0: there is none left; -EINVAL: not such a request. */
must_check int block_wants_next(struct block_wants *w, struct block_wanted *ret);
/* Whether rows are still wanted: of all, as many as there are. */
static inline bool block_wanted_more(const struct block_wanted *w)
{
    return w->all || w->rows.n;
}
/* Whether that row is, asked for each one after the other. */
bool block_wanted_takes(struct block_wanted *w, uint32_t row);
/* Whether rows are missing that were wanted. */
static inline bool block_wanted_lacks(const struct block_wanted *w)
{
    return !w->all && w->rows.n;
}
