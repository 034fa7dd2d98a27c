/* What became of the profiles of one source, such as a JVM: told by the component that delivers them, for the state of
 * the source. Shared by its profiles; loop thread.
 */
#pragma once

#include <stdint.h>

#include "base/err.h"

struct profile_origin {
    unsigned refs;
    uint64_t rejected;       /* profiles */
    int64_t rejected_ns;     /* clock_ns() of the last; 0 = never */
    char rejection[ERR_MAX]; /* why, a sentence; "" = never */
};

/* One reference. */
struct profile_origin *profile_origin_new(void);
struct profile_origin *profile_origin_ref(struct profile_origin *o);
void profile_origin_unref(struct profile_origin *o);
/* A server will not take a profile, which was dropped. NULL is allowed. */
void profile_origin_reject(struct profile_origin *o, const char *reason);
