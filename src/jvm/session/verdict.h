/* Whether the end of a profiled JVM was a crash, and whether the profiler is implicated. One rule, for all JVMs:
 *
 * A crash is an end by a fault signal (SIGSEGV, SIGBUS, SIGILL, SIGFPE, SIGABRT, SIGTRAP, SIGSYS, SIGQUIT), one with an
 * error report of HotSpot (hs_err_pid<PID>.log), or an OOM kill. The profiler is implicated in a crash
 * 1. whose error report names libasyncProfiler in the frame, the stack or the thread that crashed, or whose kernel log
 *    record names it (at any time);
 * 2. within AFTERCARE_S of an attach, whatever it looks like;
 * 3. by an OOM kill at the limit of the JVM's cgroup, or of the one above, if that limit left less than the profiler
 * may
 *    take at the last attach or roll-over (VERDICT_ROOM).
 * An OOM kill because the host is out of memory, or at the limit of a group further up, implicates nobody: any local
 * user or container can bring it about. An end by SIGKILL or of unknown cause within AFTERCARE_S makes the profiler a
 * suspect (quarantine.h); later it is no crash.
 *
 * Everything comes from the kernel, or from files of the user whose JVM crashed, and concerns that user's JVMs only
 * (jvm/probe/makeup.h).
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "jvm/operation/crash.h"
#include "jvm/session/quarantine.h"

/* After an attach the profiler is implicated in whatever happens for so long. */
enum { AFTERCARE_S = 10 };
/* What the profiler takes at most: 13 MiB, and its `memlimit` of 64 MiB for stacks. */
enum { VERDICT_ROOM = 77 << 20 };

/* What a crash has as its consequence: crash_guard of pyroscope.java, --java.crash-guard. */
enum crash_guard {
    CRASH_GUARD_ON,     /* implicated: quarantined */
    CRASH_GUARD_STRICT, /* also those that are not implicated, except for want of memory of the host */
    CRASH_GUARD_OFF,    /* counted and logged only */
};
/* "on", "strict", "off". False for another name. */
bool crash_guard_parse(const char *name, enum crash_guard *ret);

/* What is known of an end. */
struct jvm_death {
    enum jvm_end end;
    int signal;       /* that killed it; 0 = none, or not known */
    int64_t after_ns; /* since the last attach; -1 = longer than AFTERCARE_S ago */
    bool limited;     /* its cgroup, or the one above, has a memory limit */
    bool tight;       /* less than VERDICT_ROOM was left of it at the last attach */
    struct jvm_crash found;
};

enum verdict_kind { VERDICT_NONE, VERDICT_UNRELATED, VERDICT_SUSPECT, VERDICT_PROFILER };

struct verdict {
    enum verdict_kind kind;
    enum jvm_end end;              /* by all that is known */
    bool stop;                     /* its make-up is to be quarantined */
    char text[QUARANTINE_WHY_MAX]; /* "killed by SIGSEGV in libx.so 0.3 s after the attach"; "" with VERDICT_NONE */
};
void verdict_of(const struct jvm_death *d, enum crash_guard guard, struct verdict *ret);

/* Counts it: smolder_jvm_crashes_total{cause, verdict}. */
void verdict_count(const struct verdict *v);
