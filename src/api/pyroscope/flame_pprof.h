/* A flame graph of frames with lines (store/frame_text.h) as a pprof: one sample per stack. Any thread. */
#pragma once

#include "base/buf.h"
#include "base/err.h"
#include "pprof/flame.h"

struct flame_pprof {
    struct str type; /* "process_cpu:cpu:nanoseconds:cpu:nanoseconds" */
    int64_t time_ns, duration_ns;
    int64_t period;         /* 0 = what is usual for the type */
    uint32_t leaf_frames;   /* as in store/flame_profile.h */
    bool leaf_without_line; /* likewise */
    size_t nodes;           /* of the tree; smaller ones become frames "other" (flame_levels.h); 0 = all */
};

/* Appends google.v1.Profile, uncompressed; nothing where the flame has no values. -EMSGSIZE: too large. */
must_check int flame_pprof_put(const struct flame *f, const struct flame_pprof *how, struct buf *out, struct err *err);
