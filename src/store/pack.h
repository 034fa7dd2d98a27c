/* Packing: the journal becomes blocks. A block is what one service did in one hour (store/block.h), its slices are what
 * its series had (store/slices.h).
 *
 * In steps of a few MiB: pack_read() reads bodies and has them packed in a parser process, beside whatever else the
 * database is used for; pack_write() puts the result in their place, in one short transaction. If the process ends in
 * between, the journal is as it was. A body that ends the parser is found by halving the request; its profiles keep
 * their times and totals, and lose their stacks.
 *
 * Workers only: reading with one connection, writing with the one that pushes use. One step at a time.
 */
#pragma once

#include "store/reader.h"

struct pack_step;

/* 1: the next step, to be written. 0: the journal is empty. -EAGAIN: no parser process can be had. */
must_check int pack_read(struct store_reader *r, struct pack_step **ret, struct err *err);
/* 1: written. 0: the journal has changed where it matters, and nothing was. */
must_check int pack_write(struct db *db, const struct pack_step *step, struct err *err);
/* Profiles of a step, as they were pushed. */
size_t pack_step_profiles(const struct pack_step *step);
void pack_step_free(struct pack_step *step);
