/* JVMs that are not attached to any more because a similar one crashed and the profiler was implicated, by their
 * make-up (jvm/probe/makeup.h). Which crashes implicate it: jvm/session/verdict.h.
 *
 * A JVM that ends within AFTERCARE_S of an attach (a start, a roll-over, or an attempt) affects its make-up:
 * - killed by a fault signal or OOM-killed (verdict.h): quarantined at once, and stopped in other JVMs of that make-up;
 * - exited, with any status, or by a termination signal (SIGTERM, SIGINT …): no strike, and the make-up is no longer
 *   suspected, as it may be a batch job;
 * - killed by SIGKILL without an OOM kill: quarantined, unless JVMs of that make-up are known to survive or to exit;
 *   those that run are profiled on, since an operator may have killed it;
 * - unknown cause (aftercare.h): one strike, with the same exception. QUARANTINE_STRIKES quarantine it.
 * The quarantine persists in <storage path>/quarantine (quarantine_file.h) until `smolder forgive`, retry_crashed or
 * crash_guard = "off". An upgrade of the JVM or of the profiler makes it another make-up, which is attached to. A
 * make-up that survives an attach loses its strikes.
 *
 * One object per agent, on its loop; files are written by a worker. Changes by `smolder forgive` are detected within
 * seconds.
 */
#pragma once

#include <stdbool.h>
#include <uv.h>

#include "jvm/session/quarantine_file.h"

enum jvm_end {
    JVM_END_UNKNOWN,
    JVM_END_SELF,     /* exited, or was asked to */
    JVM_END_KILLED,   /* SIGKILL */
    JVM_END_FAULT,    /* a signal of a fault */
    JVM_END_OOM,      /* at the limit of its own cgroup, or of the one above */
    JVM_END_OOM_HOST, /* because the host, or a group it shares with others, was out of memory */
};

struct quarantine;

/* `dir` "" keeps it in memory only. `problem` says, on the loop, why the file could not be read or written. */
struct quarantine *quarantine_new(uv_loop_t *loop, const char *dir, void (*problem)(void *arg, const char *text),
                                  void *arg);
/* A write under way goes on. */
void quarantine_free(struct quarantine *q);

/* Keys of what is condemned, separated by blanks, for struct jvm_request; borrowed until the next call. */
const char *quarantine_keys(struct quarantine *q);
/* Another number whenever an entry was added or removed, by this agent or by `smolder forgive`. */
unsigned quarantine_version(struct quarantine *q);
/* Why a make-up is not attached to; false when it may be. */
bool quarantine_reason(struct quarantine *q, const char *key, char *text, size_t size);

/* Whether those of that make-up which are profiled are to be stopped as well. */
bool quarantine_is_sure(struct quarantine *q, const char *key);

/* One died within AFTERCARE_S of an attach, or of the profiler later on (JVM_END_FAULT). True when that condemned it
 * just now. */
bool quarantine_died(struct quarantine *q, const struct jvm_makeup *m, enum jvm_end end, const char *why);
/* One outlived it. */
void quarantine_lived(struct quarantine *q, const struct jvm_makeup *m);
