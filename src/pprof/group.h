/* A label made visible in pictures and text, which show stacks only: its value becomes the outermost frame,
 * "[value]". */
#pragma once

#include "pprof/profile.h"

/* Writes to `to`, which is fresh and shares the symbols of `from`. Samples without the label stay as they are. -E2BIG
 * where symbols are full. */
must_check int profile_group(struct profile *to, const struct profile *from, struct str key, struct err *err);
