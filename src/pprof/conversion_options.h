/* What a conversion is told: how samples weigh where a recording does not say, what is left out, what tells samples
 * apart. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/map.h"
#include "pprof/limits.h"

struct event_selection; /* pprof/selection.h */

/* The label of samples for their time, a number of nanoseconds. It tells no series. */
#define CONVERSION_TIME STR("sample_time")

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

    const struct event_selection *select; /* which events; borrowed; NULL = all */
    int64_t from_ns, until_ns; /* only what begins then, since 1970; 0 = all. What compat yields is never cut. */
    const struct conversion_limits *limits; /* borrowed; NULL = the agent's */
    /* Label sets of samples that earlier conversions had, and how many there may be; this one's are added with the
     * value 1. Borrowed; NULL = any. They are hashes with this key, so that they mean the same in every process that
     * is given it. */
    struct u64map *series;
    size_t series_max;
    uint64_t series_key[2];

    /* Labels that tell samples apart. */
    bool per_thread;      /* "thread": the thread's name, numbers of pool threads replaced */
    bool raw_threads;     /* names of threads as they are */
    uint32_t threads_max; /* distinct names of threads before the rest is "[other]"; 0 = 200 */
    bool allocated_class; /* "allocated_class" on allocations and live objects */
    bool lock_class;      /* "lock_class" on monitors and parked threads */
    int64_t time_ns; /* CONVERSION_TIME, the sample's time rounded down to a multiple of this, since 1970; 0 = none */
    uint32_t time_kinds; /* what it is added to, as profile_kinds_named(); events that may be both have it; 0 = all */
    bool thread_ids;     /* names of threads end with their id: "main tid=42" */
    bool per_state;      /* "state", on samples of the cpu and the wall clock: "runnable", "sleeping", "default" */

    /* Frames. */
    bool raw_names;        /* names of generated classes are not made equal (normalise.h) */
    bool bytecode_indices; /* in the place of line numbers */
    bool no_lines;         /* without line numbers: one location per function */
    bool
        frame_types; /* names end with "_[j]", "_[i]", "_[0]", "_[1]" or "_[k]", as async-profiler's annotated frames */
    bool libraries;  /* one mapping per native library */
    bool mark_truncated; /* stacks that were cut get a root "[truncated]" */

    const char *filter; /* patterns of stack_filter.h; borrowed; NULL = all stacks */

    bool gzip; /* compress the output */
    /* Reproduces the reference for comparisons: raw ticks, one rate for all, its rules for names, its profiles alone,
     * the given start and end times. */
    bool compat;
    int64_t compat_start_ns, compat_end_ns;
};
