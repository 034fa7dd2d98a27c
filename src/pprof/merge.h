/* Profiles added up: any number into one, equal stacks and labels become one sample.
 *
 * Identity is content: profiles may come from different processes and have symbols of their own. What is merged must
 * have the same sample types (in any order) and the same period type, or the sums would mean nothing. The rules for
 * time, duration and period are those of google/pprof (profile/merge.go): the earliest time, the sum of the
 * durations, the longest period.
 */
#pragma once

#include "pprof/profile.h"

/* Adds `factor` times `from` to `to`; -1 takes it away. A `to` without sample types and samples becomes a copy. Each
 * may have symbols of its own. -EINVAL where they do not fit, naming what differs, and then `to` is as before; -E2BIG
 * where its symbols are full. */
must_check int profile_merge(struct profile *to, const struct profile *from, int64_t factor, struct err *err);
/* The same of a profile that had no samples: types, times and whatever else is of the whole. */
must_check int profile_merge_head(struct profile *to, const struct profile *from, struct err *err);
