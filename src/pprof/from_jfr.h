/* JFR chunks in, one pprof per profile type out. Pure: no file, no clock; runs in a worker.
 *
 * A conversion collects one interval: add its chunks in order, then take the profiles. Ids are never carried across
 * chunks; equal stacks of different chunks merge. A bad chunk is refused whole and counted; earlier ones stay.
 * Rules: spec jfr-asprof §3.2, with §3.7 1-5 corrected: ticks are scaled to nanoseconds, wall samples weigh their own
 * interval, times come from the chunk headers.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"

struct conversion;

struct conversion_options {
    const char
        *event; /* what is on: "itimer", "ctimer", "cpu", "wall", "" (alloc or lock only); chunk 0's own setting wins */
    int64_t cpu_ns;  /* weight of a cpu sample: the sampling interval; chunk 0's own setting wins */
    int64_t wall_ns; /* weight of a wall sample; 0 = cpu_ns */
    bool per_thread; /* label "thread" with the thread's name on every sample */
    bool gzip;       /* compress the output */
    /* Reproduces the reference for comparisons: raw ticks, one rate for all, the given start and end times. */
    bool compat;
    int64_t compat_start_ns, compat_end_ns;
    bool compat_truncated; /* its option to mark stacks that were cut with a frame "[truncated]" */
};

/* What one conversion yields: a profile of one type. */
struct pprof_result {
    const char *name;  /* "process_cpu", "memory", "mutex", "block", "wall"; static */
    const char *event; /* the event setting in force, for the jfr_event label; lives in the conversion */
    uint8_t *bytes;    /* owned by the result; TAKE_PTR moves it out */
    size_t len;
    uint64_t samples; /* events counted */
    int64_t time_nanos, duration_nanos;
};

struct conversion *conversion_new(const struct conversion_options *options);
/* One chunk, header included. -EBADMSG with the reason when it is refused. Counts events by JFR type name. */
must_check int conversion_add(struct conversion *c, const void *chunk, size_t len, struct err *err);
/* The profiles of everything added so far, sorted by name then sample types; none for types without samples. The
 * array belongs to the conversion, which can only be freed afterwards. */
must_check int conversion_finish(struct conversion *c, struct pprof_result **ret, size_t *n, struct err *err);
/* Events that went into profiles so far, by JFR type; a batched wall clock event counts once per sample. */
struct conversion_event {
    const char *type; /* "jdk.ExecutionSample"; static */
    uint64_t count;
};
/* All types there are, those without events too; the array belongs to the conversion. */
const struct conversion_event *conversion_events(const struct conversion *c, size_t *n);
/* Time span of the chunks added, from their headers: first start, and end of the last. 0 when none was. */
int64_t conversion_start_ns(const struct conversion *c);
int64_t conversion_end_ns(const struct conversion *c);
/* Settings seen in the chunks so far, to hand to the next interval's conversion (chunk 0 alone carries them). */
void conversion_settings(const struct conversion *c, struct conversion_options *options);
void conversion_free(struct conversion *c);
