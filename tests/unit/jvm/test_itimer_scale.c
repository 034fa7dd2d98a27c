/* Against a process of this test that burns CPU time, and what the kernel says of it in other places. */
#include "jvm/session/itimer_scale.h"

#include <signal.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "test.h"

static pid_t burn(void)
{
    pid_t pid = fork();
    while (pid == 0)
        ;
    return pid;
}

static double seconds(pid_t pid)
{
    clockid_t clock;
    struct timespec t;
    return clock_getcpuclockid(pid, &clock) == 0 && clock_gettime(clock, &t) == 0
               ? (double)t.tv_sec + (double)t.tv_nsec / 1e9
               : 0;
}

static void burn_for(pid_t pid, double more)
{
    for (double until = seconds(pid) + more; seconds(pid) < until;)
        usleep(10000);
}

static void end(pid_t pid)
{
    kill(pid, SIGKILL);
    waitpid(pid, NULL, 0);
}

static void ticks_are_worth_the_run_time(void)
{
    struct itimer_scale c = ITIMER_SCALE_INIT;
    const pid_t pid = burn();
    const double before = seconds(pid);
    itimer_scale_begin(&c, pid);
    const int64_t ticks = c.ticks_ns;
    burn_for(pid, 1.2);
    const double scale = itimer_scale_measure(&c, pid);
    const double all = (double)(c.ticks_ns - ticks) / 1e9 * scale, used = seconds(pid) - before;
    CHECK(scale >= 0.5 && scale <= 2);
    if (scale > 0.5 && scale < 2) /* within some ticks, as both clocks went on meanwhile */
        CHECK(all > used - 0.1 && all < used + 0.1);
    end(pid);
}

static void few_ticks_and_dead_processes_say_nothing_new(void)
{
    struct itimer_scale c = ITIMER_SCALE_INIT;
    const pid_t pid = burn();
    itimer_scale_begin(&c, pid);
    CHECK(itimer_scale_measure(&c, pid) == 1);
    burn_for(pid, 1.2);
    const double scale = itimer_scale_measure(&c, pid);
    CHECK(itimer_scale_measure(&c, pid) == scale);
    end(pid);
    CHECK(itimer_scale_measure(&c, pid) == scale);
    struct itimer_scale none = ITIMER_SCALE_INIT;
    itimer_scale_begin(&none, pid);
    CHECK(itimer_scale_measure(&none, pid) == 1);
}

static void nonsense_is_bounded(void)
{
    struct itimer_scale c = ITIMER_SCALE_INIT;
    const pid_t pid = burn();
    itimer_scale_begin(&c, pid);
    burn_for(pid, 0.8);
    c.exact_ns -= 60 * (int64_t)1000000000;
    CHECK(itimer_scale_measure(&c, pid) == 2);
    burn_for(pid, 0.8);
    c.exact_ns += 60 * (int64_t)1000000000;
    CHECK(itimer_scale_measure(&c, pid) == 0.5);
    end(pid);
}

int main(void)
{
    RUN(ticks_are_worth_the_run_time);
    RUN(few_ticks_and_dead_processes_say_nothing_new);
    RUN(nonsense_is_bounded);
    return REPORT();
}
