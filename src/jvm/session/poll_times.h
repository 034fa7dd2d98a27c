/* When the recording of a session is worth a poll: just after a chunk should have closed, again while it has not, and
 * otherwise now and then, because a chunk closes early when it reaches chunksize. Private to this folder.
 *
 * Times are of CLOCK_MONOTONIC (base/clock.h). Source: the profiler closes a chunk on its tick of a second, mostly the
 * one after `chunktime` is up (flightRecorder.cpp, timer loop of profiler.cpp).
 */
#pragma once

#include <stdbool.h>

#include "jfr/shared_chunk.h"
#include "jvm/session/session_config.h"

enum { POLL_FAR_MS = 5000 };

struct poll_times {
    int64_t began; /* the chunk being written, as we saw it */
    int64_t due;   /* when it should have closed */
    int64_t at;    /* the next poll */
    bool small;    /* the last one was far from chunksize, so the next one will hardly close early */
};

/* A recording began `now`. */
void poll_times_begin(struct poll_times *p, const struct jvm_session_config *config, int64_t now);
/* A chunk of the recording that is written closed. */
void poll_times_chunk(struct poll_times *p, const struct jvm_session_config *config, const struct jfr_chunk *c);
/* The recording was polled `now`. */
void poll_times_next(struct poll_times *p, const struct jvm_session_config *config, int64_t now);
