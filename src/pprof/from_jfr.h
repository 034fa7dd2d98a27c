/* JFR chunks in, one pprof per profile type out. Pure: no file, no clock; runs in a worker.
 *
 * A conversion collects one interval: add its chunks in order, then take the profiles. Ids are never carried across
 * chunks; equal stacks of different chunks merge. A bad chunk is refused whole and counted; earlier ones stay.
 * What becomes of which event: docs/profiles.md, events.h. Rules: spec jfr-asprof §3.2, with §3.7 1-5 corrected: ticks are scaled to
 * nanoseconds, wall samples weigh their own interval, times come from the chunk headers.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "base/str.h"
#include "pprof/limits.h"

struct conversion;
struct u64map;
struct profile; /* pprof/profile.h */

/* All zero but `cpu_ns` is the plain conversion: what the agent sends. */
struct conversion_options {
    /* What a recording's first chunk says of itself wins over these; conversion_settings() hands them on. */
    const char
        *event;      /* "itimer", "ctimer", "cpu", "wall", a counter, "" (alloc or lock only, or the JDK's recorder) */
    int64_t cpu_ns;  /* weight of a sample of `event`: the sampling interval; of a counter what it counts */
    int64_t wall_ns; /* weight of a wall sample; 0 = cpu_ns */
    int64_t native_method_ns; /* weight of a jdk.NativeMethodSample; 0 = the JDK's 20 ms */
    int64_t alloc_bytes;      /* mean bytes between allocation samples, for the profile's period; 0 = not known */
    int64_t malloc_bytes;     /* the same of malloc */

    int64_t from_ns, until_ns; /* only what begins then, since 1970; 0 = all. What compat yields is never cut. */
    const struct conversion_limits *limits; /* borrowed; NULL = the agent's */
    /* Label sets of samples that this and earlier conversions had, as hashes, and how many there may be; borrowed. NULL = any. */
    struct u64map *series;
    size_t series_max;

    /* Labels that tell samples apart. */
    bool per_thread;      /* "thread": the thread's name, numbers of pool threads replaced */
    bool raw_threads;     /* names of threads as they are */
    uint32_t threads_max; /* distinct names of threads before the rest is "[other]"; 0 = 200 */
    bool allocated_class; /* "allocated_class" on allocations and live objects */
    bool lock_class;      /* "lock_class" on monitors and parked threads */

    /* Frames. */
    bool raw_names; /* names of generated classes are not made equal (normalise.h) */
    bool no_lines;  /* without line numbers: one location per function */
    bool
        frame_types; /* names end with "_[j]", "_[i]", "_[0]", "_[1]" or "_[k]", as async-profiler's annotated frames */
    bool libraries;  /* one mapping per native library */
    bool mark_truncated; /* stacks that were cut get a root "[truncated]" */

    bool gzip; /* compress the output */
    /* Reproduces the reference for comparisons: raw ticks, one rate for all, its rules for names, its profiles alone,
     * the given start and end times. */
    bool compat;
    int64_t compat_start_ns, compat_end_ns;
};

/* What one conversion yields: a profile of one type. */
struct pprof_result {
    const char *name;  /* "process_cpu", "memory", "mutex", "block", "wall", …; static */
    const char *event; /* the event setting in force, for the jfr_event label; lives in the conversion */
    uint8_t *bytes;    /* owned by the result; TAKE_PTR moves it out */
    size_t len;
    uint64_t samples; /* events counted */
    int64_t time_nanos, duration_nanos;
};

struct conversion *conversion_new(const struct conversion_options *options);
/* Pyroscope's LabelsSnapshot that came with the chunks to be added, maybe gzip: what context ids and span names in their
 * events mean. -EBADMSG and -E2BIG: then there are none. */
must_check int conversion_labels(struct conversion *c, struct str snapshot, struct err *err);
/* By the clock of who calls, when the chunks added from now on came; 0 = nobody knows. Times in their headers that lie more than a day
 * before or ten seconds behind are no times of theirs, and this one is taken. */
void conversion_received(struct conversion *c, int64_t wall_ns);
/* One chunk, header included. -EBADMSG with the reason when it is refused, -E2BIG, -ENOMEM. Counts events by JFR type name. Where it reaches
 * a limit it is taken as far as that, see conversion_cuts(). */
must_check int conversion_add(struct conversion *c, const void *chunk, size_t len, struct err *err);
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
/* Events that went into profiles so far, by JFR type; a batched wall clock event counts once per sample. */
struct conversion_event {
    const char *type; /* "jdk.ExecutionSample"; static */
    uint64_t count;
};
/* All types there are, those without events too; the array belongs to the conversion. */
const struct conversion_event *conversion_events(const struct conversion *c, size_t *n);
/* What did not fit into the limits so far, by reason (cut_reasons); the array of CUT_REASONS belongs to the conversion. */
struct cut_count {
    uint64_t count;
};
const struct cut_count *conversion_cuts(const struct conversion *c);
/* Time span of the chunks added, from their headers: first start, and end of the last. 0 when none was. */
int64_t conversion_start_ns(const struct conversion *c);
int64_t conversion_end_ns(const struct conversion *c);
/* `itimer` counts the kernel's ticks, and a tick is a sample itself: on a crowded machine the ticks that find a process running add up to some
 * percent more or less than it ran. Its samples in the chunks added from now on count for that much of the interval (1 at first). */
void conversion_tick_worth(struct conversion *c, double worth);
/* Settings seen in the chunks so far, to hand to the next interval's conversion (chunk 0 alone carries them). */
void conversion_settings(const struct conversion *c, struct conversion_options *options);
void conversion_free(struct conversion *c);
