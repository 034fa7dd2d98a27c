#include "os/pidref.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "test.h"

static pid_t child_that_waits(void)
{
    pid_t pid = fork();
    if (pid == 0)
        for (;;)
            pause();
    return pid;
}

static void a_process_is_known_by_its_start_time(void)
{
    cleanup_pidref struct pidref p = PIDREF_INIT, same = PIDREF_INIT, other = PIDREF_INIT;
    struct err err = {0};
    CHECK_INT(pidref_open(getpid(), 0, &p, &err), 0);
    CHECK(p.start_time > 0);
    CHECK(pidref_alive(&p));
    CHECK_INT(pidref_open(getpid(), p.start_time, &same, &err), 0);
    CHECK_INT(pidref_open(getpid(), p.start_time + 1, &other, &err), -ESRCH);
    CHECK_HAS(err.text, "is gone");
    CHECK_INT(other.fd, -1);
}

static void an_ended_process_is_gone_reaped_or_not(void)
{
    cleanup_pidref struct pidref p = PIDREF_INIT;
    pid_t pid = child_that_waits();
    CHECK_INT(pidref_open(pid, 0, &p, NULL), 0);
    CHECK(pidref_alive(&p));
    CHECK_INT(pidref_kill(&p, SIGKILL, NULL), 0);
    siginfo_t info;
    waitid(P_PID, (id_t)pid, &info, WEXITED | WNOWAIT);
    CHECK(!pidref_alive(&p));
    waitpid(pid, NULL, 0);
    CHECK(!pidref_alive(&p));
    CHECK_INT(pidref_kill(&p, SIGKILL, NULL), -ESRCH);
    CHECK_INT(pidref_state(&p), 0);
    struct err err = {0};
    cleanup_pidref struct pidref again = PIDREF_INIT;
    CHECK(pidref_open(pid, p.start_time, &again, &err) < 0);
    CHECK_HAS(err.text, "process");
}

static void a_stopped_process_says_so(void)
{
    cleanup_pidref struct pidref p = PIDREF_INIT;
    pid_t pid = child_that_waits();
    CHECK_INT(pidref_open(pid, 0, &p, NULL), 0);
    kill(pid, SIGSTOP);
    for (int64_t until = clock_ms() + 5000; pidref_state(&p) != 'T' && clock_ms() < until;)
        usleep(1000);
    CHECK_INT(pidref_state(&p), 'T');
    kill(pid, SIGKILL);
    waitpid(pid, NULL, 0);
}

static void its_entries_are_read_up_to_the_callers_limit(void)
{
    cleanup_pidref struct pidref p = PIDREF_INIT;
    CHECK_INT(pidref_open(getpid(), 0, &p, NULL), 0);
    cleanup_buf struct buf all = BUF_INIT(1 << 20), some = BUF_INIT(16);
    bool whole = false;
    CHECK_INT(pidref_read(&p, "status", &all, &whole, NULL), 0);
    CHECK(whole && all.len > 100);
    CHECK_INT(pidref_read(&p, "status", &some, &whole, NULL), 0);
    CHECK(!whole);
    CHECK_INT(some.len, 16);
    struct err err = {0};
    CHECK_INT(pidref_read(&p, "no-such-entry", &some, &whole, &err), -ENOENT);
    CHECK_HAS(err.text, "no-such-entry");
    char exe[8];
    CHECK_INT(pidref_readlink(&p, "exe", exe, sizeof exe), sizeof exe - 1);
}

static void done_twice_is_fine(void)
{
    struct pidref p = PIDREF_INIT;
    CHECK_INT(pidref_open(getpid(), 0, &p, NULL), 0);
    pidref_done(&p);
    pidref_done(&p);
    CHECK(!pidref_alive(&p));
}

static void time_goes_forward(void)
{
    int64_t a = clock_ns(), b = clock_ns();
    CHECK(a > 0 && b >= a);
    CHECK(clock_ms() >= b / 1000000);
}

int main(void)
{
    RUN(a_process_is_known_by_its_start_time);
    RUN(an_ended_process_is_gone_reaped_or_not);
    RUN(a_stopped_process_says_so);
    RUN(its_entries_are_read_up_to_the_callers_limit);
    RUN(done_twice_is_fine);
    RUN(time_goes_forward);
    return REPORT();
}
