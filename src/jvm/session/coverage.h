/* Compares the CPU time in samples with the CPU time that the kernel counted, per interval of a session.
 *
 * What a profiler reports says nothing about what it missed: with SIGPROF blocked there are no samples and no error,
 * and with two profilers in a process each may receive the signals of both. The kernel's count is independent of that.
 * It is the clock of the process (clock_gettime(2) with its PID, source: include/linux/posix-timers.h), utime plus
 * stime in nanoseconds; reading it needs no permission and cannot block. It is read about every few seconds and at each
 * chunk, and interpolated at the times in the headers of chunks.
 *
 * Rule: an interval counts if the kernel's time, or that in samples, is worth COVERAGE_SAMPLES samples or more: of 50
 * expected samples a random half is 3.5 standard deviations away. If both are less, the JVM is idle and the interval is
 * ignored. COVERAGE_INTERVALS counted intervals in a row that differ by a factor of COVERAGE_FACTOR, in the same
 * direction, are a problem, and as many in a row that do not are the end of it. An interval is ignored as well if its
 * CPU time is not known (the clock was set, an earlier agent's recording) or chunks of it were lost.
 *
 * Only events that sample CPU time are compared (coverage_applies()). The count of threads plays no role there: every
 * thread's time is part of the process's. Metric: smolder_cpu_coverage_ratio.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/str.h"

enum { COVERAGE_SAMPLES = 50, COVERAGE_INTERVALS = 3, COVERAGE_FACTOR = 2 };
enum { COVERAGE_READINGS = 24, COVERAGE_PENDING = 8 };
enum { COVERAGE_WHY_MAX = 200, COVERAGE_EVENT_MAX = 32 }; /* sizes of texts */

enum coverage_verdict { COVERAGE_FINE, COVERAGE_NONE, COVERAGE_LOW, COVERAGE_HIGH };

struct coverage_reading {
    int64_t wall_ns, cpu_ns;
};

struct coverage {
    struct coverage_reading readings[COVERAGE_READINGS]; /* oldest first */
    size_t reading_count;
    int64_t clock_offset_ns;           /* wall clock minus CLOCK_MONOTONIC at the last reading */
    int64_t open_ns;                   /* CPU time of the open interval's chunks; -1 = not known */
    int64_t pending[COVERAGE_PENDING]; /* CPU time of the last ended intervals; the index is the number modulo size */
    unsigned ended, converted;         /* intervals so far */
    int64_t counted_ns, sampled_ns;    /* of the intervals of the current run */
    enum coverage_verdict verdict, next;
    unsigned run; /* counted intervals in a row whose result is `next` */
};

/* Do samples of these profiler options ("event=itimer,…") stand for CPU time? */
bool coverage_applies(const char *options);
/* The value of `event` in them; empty where there is none. Borrowed. */
struct str coverage_event(const char *options);
/* Forgets results, as after a change of the event; readings and intervals under way stay in place but are ignored. */
void coverage_restart(struct coverage *c);

/* Reads the clock; `always`: even soon after the last reading. */
void coverage_read(struct coverage *c, pid_t pid, bool always);
/* A reading, for tests and coverage_read(). */
void coverage_note(struct coverage *c, int64_t wall_ns, int64_t mono_ns, int64_t cpu_ns, bool always);
/* A chunk by the times of its header; `last`: it ends the interval. Without times (0, 0) it only ends the interval. */
void coverage_chunk(struct coverage *c, int64_t start_ns, int64_t end_ns, bool last);
/* The oldest ended interval was converted: CPU time in its samples, -1 = not comparable; what one sample stands for.
 * True if the verdict changed. */
bool coverage_sampled(struct coverage *c, int64_t sampled_ns, int64_t sample_ns);

/* The verdict as a sentence; "" for COVERAGE_FINE. `event` is what was sampled. */
void coverage_text(const struct coverage *c, const char *event, char *text, size_t size);
