/* One continuous, gapless profile of one JVM: start, tail the unlinked recording, roll over, stop.
 *
 * A session owns its JVM identity, its recording's descriptor and its timers. It hands out finished JFR chunks in order and reports state
 * changes; it never blocks and never decides what a profile is. It retries by itself with back-off where a retry can help, and ends by
 * itself only when the process is gone. Facts: spec jfr-asprof §6.
 *
 * How chunks come to be: from 5 s on the profiler closes them itself (chunktime, in whole seconds, at most 60 of them: a longer interval is
 * the sum of several chunks, so a killed JVM takes at most a minute with it); shorter intervals are cut by `dump`. An interval is over
 * when its chunks, by their own headers, span it.
 *
 * How they are read and cut is jvm/session/intake.h's. Counts smolder_sessions{state}, smolder_attach_seconds, smolder_gap_seconds.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>
#include <uv.h>

#include "jfr/shared_chunk.h"
#include "jvm/operation/request.h"
#include "jvm/session/quarantine.h"
#include "jvm/session/session_config.h"

struct jvm_session;

enum jvm_state {
    JVM_STATE_WAITING,  /* queued or backing off; the reason says for what */
    JVM_STATE_STARTING, /* attach under way */
    JVM_STATE_PROFILING,
    JVM_STATE_STOPPING,
    JVM_STATE_GONE,
};
const char *jvm_state_name(enum jvm_state s); /* "waiting", … for metrics and the page */

struct jvm_session_events {
    /* One finished chunk: to be kept by a reference. One without bytes only ends the interval: the chunks handed out so far are all there will
     * be of it. */
    void (*chunk)(void *arg, struct jfr_chunk *c);
    /* The reason is "" while all is well. While profiling it says what is missing. */
    void (*state)(void *arg, enum jvm_state state, const char *reason);
    /* May be NULL. An attach killed this JVM, how is in the text, and no other of its make-up will be attached to. */
    void (*condemned)(void *arg, const struct jvm_makeup *makeup, const char *text);
    /* May be NULL. Something could not be looked at before an attach. */
    void (*note)(void *arg, const char *text);
    /* The session is over and freed: process gone or jvm_session_close() done. */
    void (*closed)(void *arg);
};

struct jvm_session *jvm_session_open(uv_loop_t *loop, struct priv *priv, struct jvm_id id,
                                     const struct jvm_session_config *config, const struct jvm_session_events *events,
                                     void *arg);
/* New settings; takes effect by rolling over. */
void jvm_session_update(struct jvm_session *s, const struct jvm_session_config *config);
/* Stops the profiler, delivers what was collected, then calls closed. Within `limit_ms` even when the JVM is stuck. */
void jvm_session_close(struct jvm_session *s, unsigned limit_ms);

/* CLOCK_MONOTONIC nanoseconds until the session expects to hand out the next whole interval, or, while it waits, to try again; 0 when
 * that is due or unknown. */
int64_t jvm_session_next_ns(const struct jvm_session *s);
