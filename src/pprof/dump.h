/* A profile for people to read: what it is, the functions that cost most, and every sample with its values, labels and
 * stack, largest first. Not meant to be parsed; for that there are pprof and collapsed stacks.
 */
#pragma once

#include "base/buf.h"
#include "pprof/profile.h"

/* Appends; out->max bounds the size and buf_ok() tells. `name` is the profile's: "process_cpu". Shares are of the
 * total, where values are negative of the total of all magnitudes: none is above 100 %. */
void pprof_dump(const struct profile *p, const char *name, struct buf *out);
/* The same of two sides (PROFILE_DIFF_SIDES): values are what changed; instead of shares, the share now less that
 * before, in points, whichever side has more samples in all. */
void pprof_dump_compared(const struct profile *p, const char *name, struct buf *out);

/* "12.3 ms", "4.5 MiB", "17": at most three digits matter to a person. */
void dump_format_amount(int64_t value, struct str unit, char *out, size_t size);
