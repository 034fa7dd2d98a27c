/* A profile for people to read: what it is, the functions that cost most, and every sample with its values, labels and
 * stack, largest first. Not meant to be parsed; for that there are pprof and collapsed stacks.
 */
#pragma once

#include "base/buf.h"
#include "pprof/profile.h"

/* Appends; out->max bounds the size and buf_ok() tells. `name` is the profile's: "process_cpu". */
void pprof_dump(const struct profile *p, const char *name, struct buf *out);

/* "12.3 ms", "4.5 MiB", "17": at most three digits matter to a person. */
void dump_format_amount(int64_t value, struct str unit, char *out, size_t size);
