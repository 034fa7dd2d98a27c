#include "jvm/session/itimer_scale.h"

#include <stdbool.h>
#include <time.h>

#include "base/clock.h"

enum { CLOCK_TICKS = 0, CLOCK_EXACT = 2 }; /* CPUCLOCK_PROF, CPUCLOCK_SCHED */

/* So many ticks that one more or less makes no difference, at 250 a second. */
static const int64_t TICKS_LEAST_NS = 500 * NS_PER_MS;
/* Beyond that it is not the clocks. */
static const double SCALE_LEAST = 0.5, SCALE_MOST = 2;

static bool read_clock(pid_t pid, int which, int64_t *ret)
{
    struct timespec t;
    if (clock_gettime((clockid_t)(~(unsigned)pid << 3 | (unsigned)which), &t) < 0)
        return false;
    *ret = (int64_t)t.tv_sec * NS_PER_SEC + t.tv_nsec;
    return true;
}

void itimer_scale_begin(struct itimer_scale *s, pid_t pid)
{
    if (!read_clock(pid, CLOCK_TICKS, &s->ticks_ns) || !read_clock(pid, CLOCK_EXACT, &s->exact_ns))
        s->ticks_ns = s->exact_ns = INT64_MAX;
}

double itimer_scale_measure(struct itimer_scale *s, pid_t pid)
{
    int64_t ticks, exact;
    if (!read_clock(pid, CLOCK_TICKS, &ticks) || !read_clock(pid, CLOCK_EXACT, &exact) ||
        ticks - s->ticks_ns < TICKS_LEAST_NS)
        return s->value;
    const double value = (double)(exact - s->exact_ns) / (double)(ticks - s->ticks_ns);
    s->value = value < SCALE_LEAST ? SCALE_LEAST : value > SCALE_MOST ? SCALE_MOST : value;
    s->ticks_ns = ticks;
    s->exact_ns = exact;
    return s->value;
}
