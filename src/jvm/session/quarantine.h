/* Which make-ups are not attached to any more, because a JVM of theirs died of it.
 *
 * The rule. A JVM that ends within AFTERCARE_S of an attach (a start, a roll-over, or a try at one) strikes its make-up:
 * - killed by a signal that a fault raises (SIGSEGV, SIGBUS, SIGILL, SIGFPE, SIGABRT, SIGTRAP, SIGSYS, SIGQUIT), or by the OOM killer
 *   as its cgroup counts it: condemned at once;
 * - ended by itself, whatever its status, or by a signal that asks (SIGTERM, SIGINT …): no strike, and what is known to end like that is
 *   not suspected any more: a batch job is a batch job;
 * - killed by SIGKILL without a trace of the OOM killer, which a cgroup out of sight leaves none of: condemned, unless JVMs of that
 *   make-up are known to live on or to end by themselves, for then it was somebody's decision;
 * - nobody knows how (aftercare.h): one strike, unless as above. QUARANTINE_STRIKES of them condemn it.
 * What is condemned stays so, in <storage path>/quarantine (quarantine_file.h), until `smolder forgive` takes it out, or the configuration says
 * retry_crashed. A make-up that lives on after an attach loses its strikes.
 *
 * One object per agent, on its loop; files are written by a worker. What `smolder forgive` does to the file is seen within seconds.
 */
#pragma once

#include <stdbool.h>
#include <uv.h>

#include "jvm/session/quarantine_file.h"

enum jvm_end {
    JVM_END_UNKNOWN,
    JVM_END_SELF,   /* exited, or was asked to */
    JVM_END_KILLED, /* SIGKILL */
    JVM_END_FAULT,  /* a signal of a fault */
    JVM_END_OOM,
};

struct quarantine;

/* `dir` "" keeps it in memory only. `problem` says, on the loop, why the file could not be read or written. */
struct quarantine *quarantine_new(uv_loop_t *loop, const char *dir, void (*problem)(void *arg, const char *text),
                                  void *arg);
/* A write under way goes on. */
void quarantine_free(struct quarantine *q);

/* Keys of what is condemned, separated by blanks, for struct jvm_request; borrowed until the next call. */
const char *quarantine_keys(struct quarantine *q);
/* Why a make-up is not attached to; false when it may be. */
bool quarantine_reason(struct quarantine *q, const char *key, char *text, size_t size);

/* One died within AFTERCARE_S of an attach. True when that condemned it just now. */
bool quarantine_died(struct quarantine *q, const struct jvm_makeup *m, enum jvm_end end, const char *why);
/* One outlived it. */
void quarantine_lived(struct quarantine *q, const struct jvm_makeup *m);
