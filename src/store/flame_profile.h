/* A flame graph as a profile again: one sample per stack. Names may be texts of store/frame_text.h, which become
 * functions with files and lines. Any thread.
 */
#pragma once

#include "base/err.h"
#include "pprof/flame.h"
#include "pprof/profile.h"

struct flame_profile {
    struct str type; /* "process_cpu:cpu:nanoseconds:cpu:nanoseconds" */
    int64_t time_ns, duration_ns;
    int64_t period;         /* 0 = what is usual for the type */
    uint32_t leaf_frames;   /* so many frames of a stack stay, from its leaf on; 0 = all */
    bool leaf_without_line; /* the leaf is the function */
    const bool *keep;       /* by node: others become frames "other" of the one above; NULL = all stay */
};

/* Enough for the symbols of any graph. */
enum { FLAME_PROFILE_SYMBOLS_MAX = 192 << 20 };

/* `symbols` are fresh; `ret` is to be done() in any case. -EMSGSIZE: too large. */
must_check int flame_profile(const struct flame *f, const struct flame_profile *how, struct symbols *symbols,
                             struct profile *ret, struct err *err);
