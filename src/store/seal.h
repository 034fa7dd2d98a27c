/* Sealing: when an hour is over, the slices of each series become one, with the sum of all its profiles, so that a
 * question over a day reads little. A block to which nothing was added for SEAL_AFTER_S, of an hour that ended as long
 * ago, is sealed; packing a late profile unseals it.
 *
 * In steps, as packing (store/pack.h): seal_step_read() has rows joined in a parser process, seal_step_write() replaces
 * slices in one short transaction. Slices that are damaged, or too large together, stay as they are.
 */
#pragma once

#include "store/reader.h"

enum { SEAL_AFTER_S = 600 };

/* Where the next step begins; all zero = with the first block. */
struct seal_cursor {
    int64_t block, series; /* series = of a block that is not finished */
    bool begun;
};
struct seal_step;

/* 1: the next step, to be written; the cursor is behind it. 0: nothing is left to be sealed. `now_s`: wall clock. */
must_check int seal_step_read(struct store_reader *r, struct seal_cursor *at, int64_t now_s, struct seal_step **ret,
                              struct err *err);
/* 1: written. 0: the block has changed, and nothing was. */
must_check int seal_step_write(struct db *db, const struct seal_step *step, struct err *err);
void seal_step_free(struct seal_step *step);
