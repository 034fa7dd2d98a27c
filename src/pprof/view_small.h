/* Leaves out what is too small to be seen (view.h). */
#pragma once

#include "pprof/profile.h"

/* Stacks end below their first frame whose total is a part of less than `share` of the whole, in every sample type.
 * Writes to `to`, which is fresh and shares the symbols of `from`. -E2BIG where symbols are full. */
must_check int view_leave_out_small(struct profile *to, const struct profile *from, double share, struct err *err);
