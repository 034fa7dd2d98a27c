/* Which events of a recording become which profiles, as two tables; docs/profiles.md is their page for users.
 *
 * A kind is one profile that a conversion can yield. A class is one type of event: the kind it feeds, the fields that
 * are read of it, and the rule that makes values of them. Sources: async-profiler's jfrMetadata.cpp (2.9 to 4.6), the
 * JDK's metadata.xml (8 to 25); spec jfr-asprof §2, §3.2; jfrMetadata.cpp of Datadog's java-profiler (1.16).
 */
#pragma once

#include <stdbool.h>

#include "jfr/plan.h"

/* In the order of name, then sample types: so are results. */
enum profile_kind {
    KIND_PARK,
    KIND_COUNTER,
    KIND_TLAB_IN,
    KIND_TLAB_OUT,
    KIND_ALLOC,
    KIND_LIVE,
    KIND_MALLOC_LIVE,
    KIND_MALLOC,
    KIND_LOCK,
    KIND_NATIVE_LOCK,
    KIND_NATIVE_METHOD,
    KIND_CPU,
    KIND_SPAN,
    KIND_TRACE,
    KIND_USER_EVENT,
    KIND_WALL,
    KIND_COUNT,
};

struct profile_kind_def {
    const char *name;
    const char *types[2][2]; /* type, unit; of the second there may be none */
    const char *period[2];   /* type, unit; NULL = unset */
    const char *file;        /* name of its file beside those of others; NULL = `name`, which no other kind has */
};
extern const struct profile_kind_def profile_kinds[KIND_COUNT];

/* The kinds that a text names, as named_profile_is() (set.h) has it: bit 1 << kind; 0 = none. */
uint32_t profile_kinds_named(struct str text);

/* How an event turns into values. */
enum event_rule {
    RULE_EXECUTION,     /* one interval of cpu, by state; or of the counter that the profiler was told to sample */
    RULE_WALL,          /* `amount` intervals of wall time */
    RULE_CPU_TIME,      /* `amount` ticks of cpu time */
    RULE_INTERVALS,     /* `amount` intervals of the kind's time */
    RULE_NATIVE_METHOD, /* one period of the JDK's sampler */
    RULE_SIZED,         /* one of `amount` bytes */
    RULE_WEIGHTED,      /* `weight` of them, a float */
    RULE_MALLOC,        /* the same, until it is freed */
    RULE_DELAY,         /* one of `amount` ticks */
    RULE_TRACE,         /* the same, in the method that is named or else in the top frame */
    RULE_TAGGED,        /* no stack: a frame named by the text `subject`, once, of `amount` ticks */
    RULE_FREE,          /* takes back a malloc */
    RULE_LOST,          /* no sample: `amount` of them were lost */
    RULE_CONFIG,        /* no sample: intervals of Datadog's profiler in this chunk */
    RULE_SETTING,       /* no sample: what the recording says about itself */
};

/* The slots that an event's fields are read into. SUBJECT is what the rule makes of it: a thread state, a class, a
 * method, an address, a text. */
enum event_slot {
    SLOT_STACK,
    SLOT_THREAD,
    SLOT_SUBJECT,
    SLOT_AMOUNT,
    SLOT_TIME,
    SLOT_SPAN_ID,
    SLOT_SPAN_NAME,
    SLOT_CONTEXT,
    SLOT_WEIGHT,
    EVENT_SLOTS,
};
/* Those of a setting, and of a RULE_CONFIG. */
enum { SETTING_NAME = SLOT_STACK, SETTING_VALUE = SLOT_THREAD, SETTING_OF = SLOT_SUBJECT };
enum { CONFIG_CPU_MS = SLOT_STACK, CONFIG_WALL_MS = SLOT_SUBJECT };

_Static_assert((int)EVENT_SLOTS <= (int)JFR_SLOTS, "a plan keeps every slot");

struct event_class {
    const char *type;
    const char *fields[SLOT_AMOUNT + 1]; /* those behind are called the same in all classes */
    enum profile_kind kind;
    enum event_rule rule;
    bool beyond; /* the reference converter leaves it out */
};

enum {
    CLASS_EXECUTION,
    CLASS_WALL,
    CLASS_CPU_TIME,
    CLASS_NATIVE_METHOD,
    CLASS_TLAB_IN,
    CLASS_TLAB_OUT,
    CLASS_ALLOC,
    CLASS_LIVE,
    CLASS_MALLOC,
    CLASS_LOCK,
    CLASS_PARK,
    CLASS_NATIVE_LOCK,
    CLASS_TRACE,
    CLASS_SPAN,
    CLASS_USER_EVENT,
    CLASS_FREE,
    CLASS_CPU_TIME_LOST,
    CLASS_DATADOG_CPU,
    CLASS_DATADOG_WALL,
    CLASS_DATADOG_ALLOC,
    CLASS_DATADOG_LIVE,
    CLASS_DATADOG_CONFIG,
    CLASS_SETTING, /* last: no sample */
    CLASS_COUNT,
};
extern const struct event_class event_classes[CLASS_COUNT];

/* Is its subject the state of a thread? */
static inline bool event_has_state(const struct event_class *class)
{
    return class->rule == RULE_EXECUTION || class->rule == RULE_WALL || class->rule == RULE_INTERVALS;
}

/* Events that went into profiles so far, by JFR type; a batched wall clock event counts once per sample. */
struct conversion_event {
    const char *type; /* "jdk.ExecutionSample"; static */
    uint64_t count;
};
