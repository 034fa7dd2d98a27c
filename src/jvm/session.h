/* One continuous, gapless profile of one JVM: start, tail the unlinked recording, roll over, stop.
 *
 * A session owns its JVM identity, its recording's descriptor and its timers. It hands out finished JFR chunks in order and reports state
 * changes; it never blocks and never decides what a profile is. It retries by itself with back-off where a retry can help, and ends by
 * itself only when the process is gone. Facts: spec jfr-asprof §6.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>
#include <uv.h>

#include "jvm/ops.h"

struct jvm_session;

enum jvm_state {
    JVM_STATE_WAITING,  /* queued or backing off; the reason says for what */
    JVM_STATE_STARTING, /* attach under way */
    JVM_STATE_PROFILING,
    JVM_STATE_STOPPING,
    JVM_STATE_GONE,
};
const char *jvm_state_name(enum jvm_state s); /* "waiting", … for metrics and the page */

struct jvm_session_config {
    char *tmp_dir, *dist; /* owned by the config's owner; copied by the session */
    char *events;        /* the options of jvm_start without chunktime, timeout: "event=itimer,interval=10000000,…" */
    int64_t interval_ns; /* >= 1 s */
    int64_t roll_ns;     /* roll-over period, 15 min by default */
    int64_t first_ns;    /* the first profile is cut after this long, 10 s */
};

struct jvm_session_events {
    /* One finished chunk, header included; bytes are the callee's to free(). `last_of_interval`: the interval ends with it. */
    void (*chunk)(void *arg, uint8_t *bytes, size_t len, bool last_of_interval);
    /* Reason is "" while all is well. */
    void (*state)(void *arg, enum jvm_state state, const char *reason);
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
