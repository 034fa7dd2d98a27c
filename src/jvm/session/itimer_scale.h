/* The itimer scale of a process: the factor between `itimer` samples and its CPU time.
 *
 * ITIMER_PROF counts kernel timer ticks while the process is running. The exact CPU time, which ps, top and cgroups
 * show, differs from that by some percent on a busy host (1.07 to 1.13 ticks per second of CPU time observed with a
 * load of ten per CPU). Both clocks can be read from outside, without permissions or blocking; the scale is their ratio
 * between two readings.
 * Source: include/linux/posix-timers.h (MAKE_PROCESS_CPUCLOCK), kernel/time/posix-cpu-timers.c, kernel/sched/cputime.c.
 */
#pragma once

#include <stdint.h>
#include <sys/types.h>

struct itimer_scale {
    int64_t ticks_ns, exact_ns; /* at the last reading */
    double value;               /* seconds of run time for a second of ticks */
};
#define ITIMER_SCALE_INIT ((struct itimer_scale){.value = 1})

/* Begins to count. */
void itimer_scale_begin(struct itimer_scale *s, pid_t pid);
/* Run time by ticks of the same span, since it was last asked and said something new. What it said last while there
 * were few ticks since, or the process is gone. */
double itimer_scale_measure(struct itimer_scale *s, pid_t pid);
