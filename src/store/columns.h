/* What the store knows of the profiles of a slice without a look at their stacks: times, durations and totals, packed
 * for the disk (store/slices.h).
 *
 * Made by the main process from numbers that it had in rows, and read by it. Each column is differences from one
 * profile to the next, divided by what they have in common, as numbers of variable length: about a dozen bytes a
 * profile. A version and a checksum (XXH3-64) come first, and damage is found before anything is used.
 */
#pragma once

#include "base/buf.h"
#include "base/err.h"
#include "base/str.h"

struct columns {
    int64_t *times, *durations, *totals; /* ns since 1970, ns, values; `times` owns the memory of all */
    size_t n;
};
#define COLUMNS_INIT ((struct columns){0})

/* Room for `n` profiles, all zero. */
void columns_new(struct columns *c, size_t n);
void columns_done(struct columns *c);
#define cleanup_columns __attribute__((cleanup(columns_done)))

void columns_put(const struct columns *c, struct buf *out);
/* `n`: as many as there must be. -EBADMSG: damaged. */
must_check int columns_read(struct str bytes, size_t n, struct columns *ret, struct err *err);
