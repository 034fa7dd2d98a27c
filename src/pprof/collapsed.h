/* Collapsed stacks as input: what `convert --format=collapsed`, async-profiler and stackcollapse scripts write.
 *
 * A line is frames with semicolons between, the root first, then a space and a whole number. Empty lines and those that
 * begin with '#' are left out. `\x3b` in a name is the byte of that number: how what would end a frame or a line is
 * written. Nothing tells what the numbers are: the sample type is samples/count.
 */
#pragma once

#include "base/err.h"
#include "pprof/profile.h"

/* `ret` has its symbols in `symbols` and is to be done() on success. -EBADMSG with the line that is none; -E2BIG. */
must_check int collapsed_decode(struct str text, struct symbols *symbols, struct profile *ret, struct err *err);
