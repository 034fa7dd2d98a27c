/* Removes options that a JVM or kernel does not support, so that the other events can be started.
 *
 * async-profiler rejects a start as a whole with one message; the table in degrade.c maps messages to options. Messages
 * without a row (another session is running, the recording cannot be opened …) concern the start itself. The CPU event
 * has fallbacks, like the profiler's own `cpu`: ctimer, then itimer.
 * Facts: async-profiler 4.6, profiler.cpp (start), allocTracer.cpp, lockTracer.cpp, perfEvents_linux.cpp,
 * ctimer_linux.cpp, itimer.cpp, wallClock.cpp, instrument.cpp, arguments.cpp.
 */
#pragma once

#include <stdbool.h>

#include "base/buf.h"
#include "base/str.h"
#include "jvm/probe/builds.h"

enum { DEGRADE_MAX = 1000, DEGRADED_NAMES_MAX = 128, DEGRADED_WHY_MAX = 400 };

/* What was taken out, in a form that can be kept and applied again to the same options. */
struct degraded {
    char changes[DEGRADED_NAMES_MAX]; /* "alloc,event=ctimer": without the first, and with that event; "" = nothing */
    char why[DEGRADED_WHY_MAX];       /* "without alloc: No AllocTracer symbols found"; "" = nothing */
};

/* Appends `options` ("event=itimer,alloc=512k,…") to `out`, changed as `changes` says. */
void degrade_apply(struct str options, const char *changes, struct buf *out);

/* By what the profiler said when it refused `options`. True when *d has a change more and what is left still samples
 * something. */
bool degrade_refused(struct str options, const char *said, struct degraded *d);

/* Replaces the event, because it turned out to sample nothing. False when there is no room for the change. */
bool degrade_event(struct str options, const char *instead, const char *why, struct degraded *d);

/* By the JVM's build: takes out what is not for it (jvm/probe/builds.h). -ENOTSUP when nothing would be left. */
must_check int degrade_build(struct str options, const struct jvm_build *build, struct degraded *d, struct err *err);
