/* Requests and replies of operations on a JVM, and their encoding between the main process and a child of the helper.
 *
 * A target is identified by PID and start time; an operation on a reused PID replies JVM_GONE and touches nothing.
 * Facts: spec jfr-asprof §4, §6.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/err.h"
#include "jvm/attach/degrade.h"
#include "jvm/attach/fit.h"
#include "jvm/probe/hs_err.h"
#include "jvm/probe/makeup.h"
#include "priv/priv.h"

/* An operation's number is its index in the table of the helper (jvm/operation/table.h). */
enum {
    JVM_OP_START,
    JVM_OP_ROLL,
    JVM_OP_DUMP,
    JVM_OP_STOP,
    JVM_OP_METRICS,
    JVM_OP_INSTALL,
    JVM_OP_SCAN, /* jvm/operation/scan.h */
    JVM_OP_READ, /* jvm/operation/reading.h */
    JVM_OP_CLOSE,
    JVM_OP_EXAMINE, /* jvm/operation/examine.h */
    JVM_OP_CRASH,   /* jvm/operation/crash.h */
    JVM_OP_LOOK,
    JVM_OP_ENDING, /* jvm/operation/ending.h */
    JVM_OP_USERS,  /* jvm/operation/users.h */
    JVM_OP_COUNT
};

/* How long each operation may take, from the start of its child on. */
enum { JVM_START_MS = 10000, JVM_COMMAND_MS = 6000, JVM_STOP_MS = 4000 };

struct jvm_id {
    pid_t pid;
    uint64_t start_time; /* clock ticks since boot, /proc/PID/stat field 22 */
};

enum jvm_outcome {
    JVM_OK,
    JVM_GONE,        /* the process ended or its pid was reused */
    JVM_NOT_HOTSPOT, /* no libjvm mapped (yet): try again later */
    JVM_NO_ATTACH,   /* DisableAttachMechanism, EnableDynamicAgentLoading off, -Xrs without a socket: for good */
    JVM_FOREIGN,     /* another async-profiler session is running, or another agent's: try again each interval */
    JVM_TIMEOUT,     /* no answer in time: what was asked may still happen */
    JVM_REFUSED,     /* the JVM or the profiler said no; the reason has its words */
    JVM_FAILED,      /* the system said no (full disk, permission, hostile file …) */
    JVM_NO_ROOM,     /* its cgroup has not the memory for it: try again later */
    JVM_LOST,        /* the helper ended before it could tell: what was asked may have happened */
    JVM_CONDEMNED,   /* one of its make-up died of an attach: not before somebody says so (jvm/session/quarantine.h) */
};

struct jvm_request {
    struct jvm_id id;
    uint64_t user;       /* whose turn it takes: jvm_user_of(); 0 = the agent's own */
    const char *tmp_dir; /* "/tmp": the layout's parent, here and in the target */
    const char *dist;    /* "" = embedded; else a directory with bin/asprof and lib/libasyncProfiler.so */
    /* "event=itimer,interval=10000000,alloc=512k,lock=10ms,chunktime=60,timeout=960,memlimit=64m": all but the action,
     * jfr, file, log, loglevel-independent switches, which the operation adds */
    const char *options;
    /* Of start and roll only: */
    bool untested;     /* versions that were not tested, too (jvm/probe/builds.h) */
    uint64_t headroom; /* bytes of memory its cgroups must have left (jvm/probe/headroom.h); 0 = whatever they have */
    const char *condemned; /* keys of make-ups that must not be attached to, separated by blanks; NULL = none */
    const struct degraded *degraded; /* of an earlier start with the same options; NULL = none */
};

struct jvm_reply {
    enum jvm_outcome outcome;
    char reason[ERR_MAX]; /* why not, one line; "" with JVM_OK */
    int output_fd; /* start, roll: the new session's recording, unlinked, read-write; else -1. The receiver owns it. */
    /* start: an earlier agent's recording found and stopped, to be drained; else -1. Owned likewise. */
    int previous_fd;
    int64_t attach_ns; /* how long the exchange with the JVM took */
    int64_t gap_ns;    /* roll: from the stop's to the start's reply at most; else 0 */
    bool was_running;  /* stop: it was running until now; look: another profiler is active */
    /* start, roll: */
    /* its attach socket's file, O_PATH, which goes when the JVM ends in order (jvm/session/aftercare.h); else -1. Owned
     * likewise. */
    int socket_fd;
    int crash_dir; /* start: where its error report will be, O_PATH (jvm/operation/crash.h); else -1. Owned likewise. */
    struct hs_err_place crash_place; /* in it */
    struct jvm_makeup makeup;        /* key "" = it did not get that far */
    char vendor[JVM_VENDOR_MAX];     /* of its build; "" = not known */
    uint64_t left;                   /* bytes its cgroups allowed before; UINT64_MAX = no limit is known */
    struct degraded degraded;        /* what the JVM or the kernel cannot do, of what was asked for; with JVM_OK only */
    char note[FIT_NOTE_MAX];         /* what could not be looked at before; "" = nothing */
    /* metrics, status: the profiler's output; start, roll, look: another profiler's library in the JVM, "" = none */
    char text[4096];
};
/* Nothing yet: no descriptors. */
#define JVM_REPLY_INIT(result)                                                                                         \
    ((struct jvm_reply){.outcome = (result),                                                                           \
                        .output_fd = -1,                                                                               \
                        .previous_fd = -1,                                                                             \
                        .socket_fd = -1,                                                                               \
                        .crash_dir = -1,                                                                               \
                        .left = UINT64_MAX})

/* Appends the request as the helper gets it, at most JVM_REQUEST_MAX bytes; `user` stays behind. */
enum { JVM_REQUEST_MAX = 64 << 10 };
void jvm_request_encode(const struct jvm_request *r, struct buf *out);
/* The way back; texts are borrowed from `in`, *degraded is set and borrowed, too. False when the bytes are too few. */
bool jvm_request_decode(const uint8_t *in, size_t len, struct degraded *degraded, struct jvm_request *ret);

/* Sends the reply of an operation; its descriptors go with it. */
void jvm_reply_encode(const struct jvm_reply *r, struct priv_call *call);
/* The way back: *ret is left alone where the bytes are too few. Descriptors are taken. The child read a hostile
 * process: what it says is bounded. */
void jvm_reply_decode(const uint8_t *in, size_t len, int *fds, size_t fd_count, struct jvm_reply *ret);
