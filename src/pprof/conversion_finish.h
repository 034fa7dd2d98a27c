/* What a conversion comes to: profiles, encoded or as they are. */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "base/err.h"

struct conversion;
struct profile; /* pprof/profile.h */

/* What one conversion yields: a profile of one type. */
struct pprof_result {
    const char *name;  /* "process_cpu", "memory", "mutex", "block", "wall", …; static */
    const char *event; /* the event setting in force, for the jfr_event label; lives in the conversion */
    uint8_t *bytes;    /* owned by the result; TAKE_PTR moves it out */
    size_t len;
    uint64_t samples; /* events counted */
    int64_t time_nanos, duration_nanos;
};

/* The profiles of everything added so far, sorted by name then sample types; none for types without samples. The
 * array belongs to the conversion, which can only be freed afterwards. */
must_check int conversion_finish(struct conversion *c, struct pprof_result **ret, size_t *n, struct err *err);
/* The same as they are, for who merges or draws them: in that order, borrowed, until the next call of any. An array of
 * CONVERSION_PROFILES_MAX takes them all; returns how many there are. */
struct conversion_profile {
    const char *name; /* static */
    const struct profile *p;
    uint64_t samples; /* events counted */
};
enum { CONVERSION_PROFILES_MAX = 32 };
size_t conversion_profiles(struct conversion *c, struct conversion_profile *ret);
