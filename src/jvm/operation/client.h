/* What the agent can ask of a JVM, each as one operation of the privileged helper (priv/priv.h).
 *
 * The first half is what the main process calls: asynchronous, answers on the loop. The second half is the table for priv_start().
 * A target is named by pid and start time; an operation on a pid that changed hands answers JVM_GONE and touches nothing.
 * Facts: spec jfr-asprof §4, §6; design decisions 5-8.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/err.h"
#include "jvm/attach/degrade.h"
#include "jvm/attach/fit.h"
#include "jvm/probe/makeup.h"
#include "priv/priv.h"

struct jvm_id {
    pid_t pid;
    uint64_t start_time; /* clock ticks since boot, /proc/PID/stat field 22 */
};

enum jvm_outcome {
    JVM_OK,
    JVM_GONE,        /* the process ended or its pid was reused */
    JVM_NOT_HOTSPOT, /* no libjvm mapped (yet): look again later */
    JVM_NO_ATTACH,   /* DisableAttachMechanism, EnableDynamicAgentLoading off, -Xrs without a socket: for good */
    JVM_FOREIGN,     /* another async-profiler session is running, or another agent's: look again each interval */
    JVM_TIMEOUT,     /* no answer in time: what was asked may still happen */
    JVM_REFUSED,     /* the JVM or the profiler said no; the reason has its words */
    JVM_FAILED,      /* the system said no (full disk, permission, hostile file …) */
    JVM_NO_ROOM,     /* its cgroup has not the memory for it: look again later */
    JVM_LOST,        /* the helper ended before it could tell: what was asked may have happened */
    JVM_CONDEMNED,   /* one of its make-up died of an attach: not before somebody says so (jvm/session/quarantine.h) */
};
const char *jvm_outcome_name(enum jvm_outcome o);

struct jvm_reply {
    enum jvm_outcome outcome;
    char reason[ERR_MAX]; /* why not, one line; "" with JVM_OK */
    int output_fd; /* start, roll: the new session's recording, unlinked, read-write; else -1. The receiver owns it. */
    int previous_fd; /* start: an earlier agent's recording found and stopped, to be drained; else -1. Owned likewise. */
    int64_t attach_ns; /* how long the exchange with the JVM took */
    int64_t gap_ns;    /* roll: from the stop's to the start's reply at most; else 0 */
    bool was_running;  /* stop: it was running until now */
    /* start, roll: */
    int socket_fd; /* its attach socket's file, O_PATH, which goes when the JVM ends in order (jvm/session/aftercare.h); else -1. Owned likewise. */
    struct jvm_makeup makeup; /* key "" = it did not get that far */
    struct degraded degraded; /* what the JVM or the kernel cannot do, of what was asked for; with JVM_OK only */
    char note[FIT_NOTE_MAX];  /* what could not be looked at before; "" = nothing */
    char text[4096];          /* metrics, status: the profiler's output */
};
/* How long each may take, from the start of its child on. */
enum { JVM_START_MS = 10000, JVM_COMMAND_MS = 6000, JVM_STOP_MS = 4000 };

typedef void jvm_done(void *arg, const struct jvm_reply *reply);

struct jvm_start {
    struct jvm_id id;
    uint64_t user;       /* whose turn it takes: jvm_user_of(); 0 = the agent's own */
    const char *tmp_dir; /* "/tmp": the layout's parent, here and in the target */
    const char *dist;    /* "" = embedded; else a directory with bin/asprof and lib/libasyncProfiler.so */
    const char *
        options; /* "event=itimer,interval=10000000,alloc=512k,lock=10ms,chunktime=60,timeout=960,memlimit=64m": all but
                             the action, jfr, file, log, loglevel-independent switches, which the operation adds */
    /* Of start and roll only: */
    bool untested;     /* versions that were not tested, too (jvm/probe/builds.h) */
    uint64_t headroom; /* bytes of memory its cgroups must have left (jvm/probe/headroom.h); 0 = whatever they have */
    const char *condemned; /* keys of make-ups that must not be attached to, separated by blanks; NULL = none */
    const struct degraded *degraded; /* of an earlier start with the same options; NULL = none */
};

/* Checks, library in place, output file, `start`, unlink. Takes over a recording of ours that is still running. */
uint64_t jvm_start(struct priv *p, const struct jvm_start *s, jvm_done *done, void *arg);
/* `stop` and `start` with a new output file, queued back to back. */
uint64_t jvm_roll(struct priv *p, const struct jvm_start *s, jvm_done *done, void *arg);
/* Closes the current chunk now; sampling goes on. */
uint64_t jvm_dump(struct priv *p, const struct jvm_start *s, jvm_done *done, void *arg);
/* Ends the session if it is ours. */
uint64_t jvm_stop(struct priv *p, const struct jvm_start *s, jvm_done *done, void *arg);
/* `metrics` of the running profiler, in reply.text. */
uint64_t jvm_metrics(struct priv *p, const struct jvm_start *s, jvm_done *done, void *arg);

/* Writes the documented layout under tmp_dir on the host (both libc variants); done once per component start. reply.text = the
 * glibc variant's directory. `id` is ignored. */
uint64_t jvm_install(struct priv *p, const struct jvm_start *s, jvm_done *done, void *arg);

/* The table for priv_start(); an operation's number is its index. JVM_OP_SCAN is jvm/operation/scan.h's, the last two are jvm/operation/reading.h's. NULL-name terminated. */
enum {
    JVM_OP_START,
    JVM_OP_ROLL,
    JVM_OP_DUMP,
    JVM_OP_STOP,
    JVM_OP_METRICS,
    JVM_OP_INSTALL,
    JVM_OP_SCAN,
    JVM_OP_READ,
    JVM_OP_CLOSE,
    JVM_OP_COUNT
};
extern const struct priv_op jvm_ops[JVM_OP_COUNT + 1];
