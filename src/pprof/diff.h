/* Two profiles compared: what changed from `before` to `after`.
 *
 * Either as one signed profile, which every pprof tool reads (negative = less than before), or with both sides in every
 * sample, which is what a picture needs: less of one stack must not hide more of another one with the same frames
 * above.
 */
#pragma once

#include "pprof/profile.h"

enum profile_diff {
    PROFILE_DIFF_SIGNED, /* after - before */
    PROFILE_DIFF_SIDES,  /* the values of `after`, then those of `before`, as twice as many sample types */
};

/* `to` is fresh and may have the symbols of either. Time, duration and period are those of `after`. -EINVAL where the
 * two do not fit together (see merge.h), or have too many sample types for sides; -E2BIG where symbols are full. */
must_check int profile_diff(struct profile *to, const struct profile *after, const struct profile *before,
                            enum profile_diff how, struct err *err);
