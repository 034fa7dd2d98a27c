#include "jvm/session/itimer_scale.h"

#include <stdbool.h>
#include <time.h>

enum { CLOCK_TICKS = 0, CLOCK_EXACT = 2 }; /* CPUCLOCK_PROF, CPUCLOCK_SCHED */

/* So many ticks that one more or less makes no difference, at 250 a second. */
static const int64_t TICKS_LEAST_NS = 500000000;
/* Beyond that it is not the clocks. */
static const double WORTH_LEAST = 0.5, WORTH_MOST = 2;

static bool read_clock(pid_t pid, int which, int64_t *ret)
{
    struct timespec t;
    if (clock_gettime((clockid_t)(~(unsigned)pid << 3 | (unsigned)which), &t) < 0)
        return false;
    *ret = (int64_t)t.tv_sec * 1000000000 + t.tv_nsec;
    return true;
}

void tick_clock_begin(struct tick_clock *c, pid_t pid)
{
    if (!read_clock(pid, CLOCK_TICKS, &c->ticks_ns) || !read_clock(pid, CLOCK_EXACT, &c->exact_ns))
        c->ticks_ns = c->exact_ns = INT64_MAX;
}

double tick_clock_worth(struct tick_clock *c, pid_t pid)
{
    int64_t ticks, exact;
    if (!read_clock(pid, CLOCK_TICKS, &ticks) || !read_clock(pid, CLOCK_EXACT, &exact) ||
        ticks - c->ticks_ns < TICKS_LEAST_NS)
        return c->worth;
    const double worth = (double)(exact - c->exact_ns) / (double)(ticks - c->ticks_ns);
    c->worth = worth < WORTH_LEAST ? WORTH_LEAST : worth > WORTH_MOST ? WORTH_MOST : worth;
    c->ticks_ns = ticks;
    c->exact_ns = exact;
    return c->worth;
}
