/* The state of one conversion, for the files that are it; from_jfr.h is what others see. */
#pragma once

#include "pprof/conversion_options.h"
#include "pprof/events.h"
#include "pprof/left_out.h"
#include "pprof/native_leaks.h"
#include "pprof/profile.h"
#include "pprof/settings.h"
#include "pprof/snapshot.h"
#include "pprof/threads.h"

struct pprof_result; /* conversion_finish.h */

/* Since 1970; 0 and 0 = no time at all. */
struct covered_time {
    int64_t from, until;
};
/* From the least start to the greatest end, in whatever order they come. */
void covered_time_extend(struct covered_time *s, struct covered_time by);

/* Label sets made last of the three ids that Pyroscope's agent puts into events, by a hash of them; 0, the empty set,
 * is none. */
enum { KNOWN_LABELS_BITS = 5 };
struct known_labels {
    uint64_t span, name, context;
    uint32_t labels;
};

struct conversion {
    struct conversion_options options; /* its `event` is in settings */
    struct recorded_settings settings;
    struct recorded_settings initial; /* where every recording starts from */
    const struct conversion_limits *limits;
    struct symbols symbols;
    uint32_t other;                      /* the stack "[other]" */
    size_t samples_left;                 /* distinct ones, of all profiles */
    struct profile profiles[KIND_COUNT]; /* of no types until a sample comes */
    uint64_t samples[KIND_COUNT];
    struct conversion_event events[CLASS_COUNT];
    struct left_out left_out;
    uint64_t lost; /* samples, by the recorder */
    struct thread_names threads;
    struct snapshot snapshot;
    struct cut_count cuts[CUT_REASONS];
    struct id_map label_sets; /* by number: 1 = taken, 2 = refused */
    size_t series;            /* taken */
    bool has_labels;
    struct known_labels known_labels[1 << KNOWN_LABELS_BITS];
    struct native_leaks leaks;
    struct buf text; /* scratch */
    struct label_keys {
        uint32_t thread, allocated_class, lock_class, state, profile_id, span_name, time,
            nanoseconds; /* strings; 0 until one is needed */
    } keys;
    struct covered_time span;      /* of all chunks */
    struct covered_time recording; /* of those of the recording at hand */
    struct kind_so_far {
        struct covered_time span; /* of earlier recordings that had such samples */
        uint64_t samples_before;  /* of those */
        int64_t period;           /* the longest of all chunks with such samples */
    } so_far[KIND_COUNT];
    int64_t received_ns;          /* conversion_received() */
    double itimer_scale;          /* of the chunks to come */
    struct pprof_result *results; /* set by finish */
    size_t result_count;
};

/* Makes the profile that samples of a kind go into ready for them; false where symbols are full. */
bool conversion_begin(struct conversion *c, enum profile_kind kind);
static inline bool conversion_ready(struct conversion *c, enum profile_kind kind)
{
    return c->profiles[kind].type_count > 0 || conversion_begin(c, kind);
}

/* What one unit of the period type stands for by the settings in force: a sample in time, bytes between samples; every
 * contention, call and object counts. */
int64_t conversion_period(const struct conversion *c, enum profile_kind kind);
/* The recording at hand is over: settings and time of the next one are its own. */
void conversion_end_recording(struct conversion *c);
/* The time that a profile is about: that of the recordings with such samples. */
struct covered_time conversion_span_of(const struct conversion *c, enum profile_kind kind);

/* Whether a part of the time is asked for. */
static inline bool conversion_has_range(const struct conversion *c)
{
    return c->options.from_ns || c->options.until_ns;
}
