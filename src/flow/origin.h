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
    /* Per endpoint, store or directory of files, so a profile that goes to two counts twice. */
    uint64_t delivered;   /* profiles that an endpoint confirmed */
    int64_t delivered_ns; /* wall clock of the last confirmation; 0 = never */
    uint64_t dropped;     /* profiles that one will never get, rejected ones included */
};

/* One reference. */
struct profile_origin *profile_origin_new(void);
struct profile_origin *profile_origin_ref(struct profile_origin *o);
void profile_origin_unref(struct profile_origin *o);
/* A server will not take a profile, which was dropped. NULL is allowed. */
void profile_origin_reject(struct profile_origin *o, const char *reason);
/* An endpoint confirmed that it has a profile. NULL is allowed. */
void profile_origin_deliver(struct profile_origin *o);
/* A profile was dropped, for whatever reason. NULL is allowed. */
void profile_origin_drop(struct profile_origin *o);
