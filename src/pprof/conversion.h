/* What the files of a conversion share (from_jfr.h is what others see of it). */
#pragma once

#include "pprof/from_jfr.h"
#include "pprof/layout.h"
#include "pprof/native_leaks.h"
#include "pprof/profile.h"
#include "pprof/resolve.h"
#include "pprof/settings.h"
#include "pprof/snapshot.h"
#include "pprof/spans.h"
#include "pprof/threads.h"

/* Label sets made last of the three ids that Pyroscope's agent puts into events, by a hash of them; 0, the empty set, is none. */
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
        uint32_t thread, allocated_class, lock_class, profile_id, span_name; /* strings; 0 until one is needed */
    } keys;
    int64_t start_ns, end_ns;
    int64_t received_ns;          /* conversion_received() */
    double tick_worth;            /* of the chunks to come */
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

/* One walk over the events of a chunk. */
struct pass {
    struct conversion *c;
    const uint8_t *chunk;
    struct resolver *r;
    const struct jfr_header *header;
    struct spans *spans;
    struct native_leaks *mallocs; /* of the chunk */
    int64_t sign;                 /* -1 takes back what an earlier walk added */
    bool jdk;                     /* the chunk is of the JDK's recorder */
    bool wall, both, counter; /* what settings_wall(), _both() and _counter() say of those in force; not the JDK's */
    int64_t sample_ns;        /* that an execution sample stands for, by the same */
    int64_t worth_ns;         /* what it counts: that, or where it was taken by the tick, by the exact run time */
    bool ranged;              /* a part of the time is asked for */
    bool late;                /* the time is over */
    unsigned until_look;      /* events before the clock is looked at */
    int64_t deadline_ns;      /* of the thread's CPU clock; 0 = none */
    bool labelled;            /* events of the plans made so far may have labels */
};

/* In passes.c: walks beside the one that takes the samples. They stop where something is no event; the main walk says so.
 *
 * Before it: the spans, what the JDK's recorder says of itself, and which events count where two types tell the same. */
void chunk_prepare(struct pass *p, struct layout *l);
/* During it: native memory that was allocated. After it: what of that and of the chunks before still is. */
void chunk_malloc(const struct pass *p, const struct jfr_record *e, uint32_t stack, uint32_t labels);
void chunk_settle(struct pass *p, struct layout *l);

/* The label set of an event, where p->labelled; SYMBOLS_FULL. */
uint32_t labels_of(const struct pass *p, const struct event_class *class, const struct jfr_record *e);

/* Something was left out; an event that is taken back takes that back as well. */
static inline void conversion_cut(const struct pass *p, enum cut_reason reason, uint64_t n)
{
    p->c->cuts[reason].count += p->sign < 0 ? -n : n;
}

/* To be asked for each event: has the chunk had its time? Not when events are taken back. */
bool pass_look_at_clock(struct pass *p);
static inline bool pass_is_late(struct pass *p)
{
    return p->late || (--p->until_look == 0 && pass_look_at_clock(p));
}

/* Adds what one event stands for to its profiles: in full, or under "[other]" where there is no room. */
void event_take(const struct pass *p, size_t class, const struct jfr_record *e);
/* Where p->ranged: did it begin in the time that was asked for? */
bool event_in_range(const struct pass *p, const struct jfr_record *e);
/* How often an event counts: an idle thread's wall clock samples come in batches. */
int64_t event_count(size_t class, const struct jfr_record *e);
