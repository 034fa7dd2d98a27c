/* One continuous profiling session of one JVM: start, tail the unlinked recording, roll over, stop.
 *
 * A session owns the JVM identity, the recording's descriptor and its timers. It delivers finished JFR chunks in order
 * and reports state changes; it never blocks and does not interpret profiles. It retries with backoff where that can
 * help, and only ends by itself when the process has exited. Facts: spec jfr-asprof §6.
 *
 * From 5 s on, the profiler closes chunks itself (chunktime, whole seconds, at most 60: a longer interval is the sum of
 * several chunks, so that at most a minute is lost with a killed JVM); shorter intervals use `dump`. An interval is
 * complete when its chunks, by their headers, span it.
 *
 * Reading and grouping of chunks: jvm/session/intake.h. Metrics: smolder_sessions{state}, smolder_attach_seconds,
 * smolder_gap_seconds.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>
#include <uv.h>

#include "jfr/shared_chunk.h"
#include "jvm/operation/request.h"
#include "jvm/probe/reason.h"
#include "jvm/session/quarantine.h"
#include "jvm/session/session_config.h"

struct jvm_session;

/* A second profiler in the JVM. Timer, signal and JVM events belong to the process, so with two both are wrong, and
 * smolder is the one that gives way: it stops its session and waits. Every interval it looks whether the address space
 * changed, which costs one read of /proc/PID/stat; if so, or if another profiler's library is mapped already, an
 * operation reads the mapped files, and asks a copy of async-profiler whether it is running. Others cannot be asked:
 * with one of them mapped, samples that do not agree with the kernel's CPU time (jvm/session/coverage.h) decide. It is
 * tried again every interval while the other copy can be asked, else after JVM_SECOND_RETRY_S. */
enum { JVM_SECOND_MAX = 200, JVM_SECOND_RETRY_S = 3600 };

struct jvm_session_events {
    /* One finished chunk: to be kept by a reference. One without bytes only ends the interval: the chunks handed out
     * so far are all there will be of it. */
    void (*chunk)(void *arg, struct jfr_chunk *c);
    /* State and reason as in jvm/probe/reason.h; the reason is "" while nothing is missing. */
    void (*state)(void *arg, enum jvm_state state, const char *reason);
    /* May be NULL. The profiler is implicated in the end of this JVM, how is in the text, and no other of its make-up
     * will be attached to. */
    void (*condemned)(void *arg, const struct jvm_makeup *makeup, const char *text);
    /* May be NULL. It crashed, and nobody is quarantined for that. */
    void (*crashed)(void *arg, const struct jvm_makeup *makeup, const char *text);
    /* May be NULL. Something could not be looked at before an attach. */
    void (*note)(void *arg, const char *text);
    /* May be NULL. What an attach, or its attempt, found out about the JVM: "17.0.15+6-Debian", "Debian"; "" = not
     * known. Borrowed. */
    void (*vm)(void *arg, const char *version, const char *vendor);
    /* May be NULL. A chunk, or the rest of a recording, is lost, and counted: why. */
    void (*lost)(void *arg, const char *why);
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

/* Closes the chunk that is being written, once nothing else is under way, so that it can be read soon; for somebody who
 * waits for it. Sampling goes on, and the intervals stay as long as they are. Ten cuts may come at once, then one every
 * 30 s; others are not made, and the chunk ends by itself. */
void jvm_session_cut(struct jvm_session *s);

/* The oldest interval that was handed out and not yet reported so is converted: `sampled_ns` is the CPU time in its
 * samples, -1 if it is not comparable; `sample_ns` what one sample stands for (jvm/session/coverage.h). */
void jvm_session_sampled(struct jvm_session *s, int64_t sampled_ns, int64_t sample_ns);

/* CLOCK_MONOTONIC nanoseconds until the session expects to hand out the next whole interval, or, while it waits, to
 * try again; 0 when that is due or unknown. */
int64_t jvm_session_next_ns(const struct jvm_session *s);
