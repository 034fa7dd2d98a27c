/* Whether two profile sets can be compared, and what only one of them has.
 *
 * A profile that one side lacks is taken as empty there, which is a guess: that recording may have had the event off.
 * So it is reported; and if that holds for all profiles, or for the one that was asked for, a comparison would show
 * nothing but that guess.
 */
#pragma once

#include "base/err.h"
#include "pprof/set.h"

struct compared_inputs {
    const struct profile_set *now, *before;
    const char *now_name, *before_name; /* for messages */
    const char *type;                   /* named_profile_is(); "" = all there are */
    bool quiet;
};

/* -ESRCH: no profile of that type is on both sides. Others are named on standard error. */
must_check int compare_check(const struct compared_inputs *c, struct err *err);
