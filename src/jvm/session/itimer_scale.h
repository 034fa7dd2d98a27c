/* The scale of `itimer` samples in one process: by how much their sum is off from its run time.
 *
 * ITIMER_PROF counts the kernel's ticks that found the process running. Its exact run time, which everything else that shows CPU time goes by,
 * differs from that by some percent on a crowded machine (1.07 to 1.13 ticks per second of run time seen with a load of ten on
 * each CPU). Both clocks can be read from outside, without permission or waiting; their ratio between two readings tells.
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
/* Run time by ticks of the same span, since it was last asked and said something new. What it said last while there were few ticks since, or
 * the process is gone. */
double itimer_scale_measure(struct itimer_scale *s, pid_t pid);
