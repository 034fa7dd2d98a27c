/* The settings of a session, and a session's copy of them. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "jvm/session/places.h"
#include "jvm/session/quarantine.h"
#include "jvm/session/verdict.h"

struct jvm_session_config {
    uint64_t user;              /* whose the JVM is (jvm/probe/user.h); fixed when the session is opened */
    const char *tmp_dir, *dist; /* the caller's; copied by the session */
    const char *events;  /* the options of jvm_start without chunktime, timeout: "event=itimer,interval=10000000,…" */
    int64_t interval_ns; /* >= 1 s */
    int64_t roll_ns;     /* roll-over period, 15 min by default */
    int64_t first_ns;    /* the first profile is cut after this long, 10 s */
    int64_t min_age_ns;  /* a younger JVM is not attached to yet */
    uint64_t headroom;   /* as in struct jvm_start */
    bool untested;       /* likewise */
    bool retry_crashed;  /* condemned make-ups, too */
    enum crash_guard crash_guard;  /* off: condemned make-ups, too */
    struct quarantine *quarantine; /* borrowed, outlives the session; NULL = none */
    struct jvm_places *places;     /* likewise; fixed when the session is opened */
};

/* Intervals too short for the profiler's chunktime are cut by `dump`. */
bool session_config_by_dump(const struct jvm_session_config *c);
/* Whole seconds per chunk: the interval, or an even part of it. Also how long a cut by `dump` may take. */
int64_t session_config_chunk_s(const struct jvm_session_config *c);
/* All that `start` gets besides what the operation adds, to be freed. `other_signal`: the CPU event does without
 * SIGPROF. */
char *session_config_start_options(const struct jvm_session_config *c, bool other_signal);
/* The event in force, after what the JVM or the kernel does not support (struct degraded). */
void session_config_event(const struct jvm_session_config *c, const char *changes, char *ret, size_t size);

void session_config_copy(struct jvm_session_config *to, const struct jvm_session_config *from);
void session_config_done(struct jvm_session_config *c);

/* Whether condemned make-ups are left alone. */
bool session_config_is_guarded(const struct jvm_session_config *c);
/* Whether what is sampled changes, so that the session rolls over. */
bool session_config_samples_differ(const struct jvm_session_config *a, const struct jvm_session_config *b);
/* Whether what was refused may be welcome now. */
bool session_config_rules_differ(const struct jvm_session_config *a, const struct jvm_session_config *b);
