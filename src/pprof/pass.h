/* One walk over the events of a chunk: what it is on, how much time it has, what a sample counts in it. */
#pragma once

#include "jfr/chunk.h"
#include "pprof/conversion.h"
#include "pprof/layout.h"
#include "pprof/resolve.h"
#include "pprof/selection.h"
#include "pprof/spans.h"

struct pass {
    struct conversion *c;
    const uint8_t *chunk;
    struct resolver *r;
    const struct jfr_header *header;
    struct spans *spans;
    struct selector *selector;    /* NULL = all events */
    struct native_leaks *mallocs; /* of the chunk */
    int64_t sign;                 /* -1 takes back what an earlier walk added */
    bool jdk;                     /* the chunk is of the JDK's recorder */
    bool wall, both, counter; /* what settings_wall(), _both() and _counter() say of those in force; not the JDK's */
    int64_t sample_ns;        /* that an execution sample stands for, by the same */
    int64_t scaled_ns;        /* what it counts: that, or where it was taken by the tick, by the exact run time */
    bool ranged;              /* a part of the time is asked for */
    bool late;                /* the time is over */
    unsigned until_look;      /* events before the clock is looked at */
    int64_t deadline_ns;      /* of the thread's CPU clock; 0 = none */
    bool labelled;            /* events of the plans made so far may have labels */
};

/* Where events end and the clock has its say: a chunk may take so much of the thread's CPU time. */
void pass_set_deadline(struct pass *p);
/* To be asked for each event: has the chunk had its time? Not when events are taken back. */
bool pass_look_at_clock(struct pass *p);
static inline bool pass_is_late(struct pass *p)
{
    return p->late || (--p->until_look == 0 && pass_look_at_clock(p));
}

/* After the recording said something of itself: what samples count from here on. */
void pass_settings_changed(struct pass *p);

/* Makes the plan of a class that has none, and notes whether its events may have labels; -EBADMSG, -E2BIG. */
must_check int pass_compile(struct pass *p, struct layout *l, size_t class, struct err *err);

/* Something was left out; an event that is taken back takes that back as well. */
static inline void pass_cut(const struct pass *p, enum cut_reason reason, uint64_t n)
{
    p->c->cuts[reason].count += p->sign < 0 ? -n : n;
}

/* When an event began, since 1970. */
int64_t pass_wall_ns(const struct pass *p, const struct jfr_record *e);
/* Where p->ranged: did it begin in the time that was asked for? */
bool pass_in_range(const struct pass *p, const struct jfr_record *e);
