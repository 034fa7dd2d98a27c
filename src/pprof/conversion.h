/* The state of one conversion, for the files that are it; from_jfr.h is what others see. */
#pragma once

#include "pprof/conversion_options.h"
#include "pprof/events.h"
#include "pprof/native_leaks.h"
#include "pprof/profile.h"
#include "pprof/settings.h"
#include "pprof/snapshot.h"
#include "pprof/threads.h"

struct pprof_result; /* conversion_finish.h */

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
    const struct conversion_limits *limits;
    struct symbols symbols;
    uint32_t other;                      /* the stack "[other]" */
    size_t samples_left;                 /* distinct ones, of all profiles */
    struct profile profiles[KIND_COUNT]; /* of no types until a sample comes */
    uint64_t samples[KIND_COUNT];
    struct conversion_event events[CLASS_COUNT];
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
    int64_t start_ns, end_ns;
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

/* Whether a part of the time is asked for. */
static inline bool conversion_has_range(const struct conversion *c)
{
    return c->options.from_ns || c->options.until_ns;
}
