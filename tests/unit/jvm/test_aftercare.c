/* How processes ended, seen from outside: real ones, as zombies and after their parent fetched them. */
#include "jvm/session/aftercare.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/utsname.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/clock.h"
#include "test.h"

static const int64_t SECOND = 1000000000;

/* A child that ends when it is told to: by this status or signal. */
static pid_t child(int status, int sig)
{
    int pipes[2];
    if (pipe(pipes) < 0)
        return -1;
    pid_t pid = fork();
    if (pid == 0) {
        char go;
        struct rlimit none = {0, 0};
        setrlimit(RLIMIT_CORE, &none);
        close(pipes[1]);
        (void)!read(pipes[0], &go, 1);
        if (sig) {
            signal(sig, SIG_DFL); /* a sanitizer has handlers of its own */
            raise(sig);
        }
        _exit(status);
    }
    close(pipes[0]);
    dup2(pipes[1], 100); /* closed by finish() */
    close(pipes[1]);
    return pid;
}

static struct aftercare watch;
static struct pidref p;

static void begin(pid_t pid)
{
    watch = (struct aftercare){0};
    snprintf(watch.makeup.key, sizeof watch.makeup.key, "%032x", 7);
    CHECK_INT(pidref_open(pid, 0, &p, NULL), 0);
    aftercare_begin(&watch, &p, clock_ns());
}

/* Lets it end, and looks after `reaped` or before. */
static void finish(pid_t pid, bool reaped)
{
    struct pollfd gone = {.fd = p.fd, .events = POLLIN};
    close(100);
    poll(&gone, 1, 10000);
    if (reaped)
        waitpid(pid, NULL, 0);
    aftercare_ended(&watch, &p, clock_ns());
    if (!reaped)
        waitpid(pid, NULL, 0);
    pidref_done(&p);
}

/* Judges, and says how it ended; `condemned`: that its make-up was quarantined for that. */
static const char *judge(struct quarantine *q, bool condemned)
{
    static struct verdict v;
    CHECK_INT(aftercare_judge(&watch, q, CRASH_GUARD_ON, &v), condemned);
    return v.text;
}

static void check_end(int status, int sig, enum jvm_end want, const char *text, bool reaped)
{
    pid_t pid = child(status, sig);
    begin(pid);
    finish(pid, reaped);
    CHECK_INT(watch.end, want);
    CHECK_STR(judge(NULL, false), text);
    aftercare_done(&watch);
    CHECK(!watch.group.path);
}

static void a_zombie_tells_how_it_ended(void)
{
    check_end(0, 0, JVM_END_SELF, "", false);
    check_end(143, 0, JVM_END_SELF, "", false);
    check_end(0, SIGTERM, JVM_END_SELF, "", false);
    check_end(0, SIGSEGV, JVM_END_FAULT, "killed by SIGSEGV at the attach", false);
    check_end(0, SIGABRT, JVM_END_FAULT, "killed by SIGABRT at the attach", false);
    check_end(0, SIGQUIT, JVM_END_FAULT, "killed by SIGQUIT at the attach", false);
    check_end(0, SIGKILL, JVM_END_KILLED, "killed by SIGKILL at the attach", false);
}

static bool kernel_tells(void)
{
    int status;
    pid_t pid = child(3, 0);
    begin(pid);
    close(100);
    waitpid(pid, NULL, 0);
    bool told = aftercare_status(&p, &status);
    if (told)
        CHECK_INT(WEXITSTATUS(status), 3);
    pidref_done(&p);
    aftercare_done(&watch);
    return told;
}

static void its_pidfd_tells_later(void)
{
    check_end(3, 0, JVM_END_SELF, "", true);
    check_end(0, SIGSEGV, JVM_END_FAULT, "killed by SIGSEGV at the attach", true);
}

static void on_older_kernels_nobody_tells_later(void)
{
    check_end(3, 0, JVM_END_UNKNOWN, "ended at the attach", true);
}

/* Without a process to ask: what is left is its socket. */
static void its_socket_tells_when_nobody_does(void)
{
    for (int removed = 0; removed < 2; removed++) {
        char name[] = "/tmp/smolder-socket-XXXXXX";
        struct aftercare a = {.since_ns = clock_ns()};
        struct verdict v;
        struct pidref nobody = PIDREF_INIT;
        int made = mkstemp(name);
        CHECK(made >= 0);
        aftercare_keep_socket(&a, -1);
        aftercare_keep_socket(&a, dup(made));
        aftercare_keep_socket(&a, open(name, O_PATH | O_CLOEXEC));
        if (removed)
            CHECK_INT(unlink(name), 0);
        aftercare_ended(&a, &nobody, clock_ns());
        CHECK_INT(a.end, removed ? JVM_END_SELF : JVM_END_UNKNOWN);
        CHECK(!aftercare_judge(&a, NULL, CRASH_GUARD_ON, &v));
        CHECK_STR(v.text, removed ? "" : "ended at the attach");
        CHECK(!a.has_socket);
        (void)!unlink(name);
        close(made);
    }
}

/* The helper may read what the main process may not. */
static void the_helper_tells_before_or_after_the_end(void)
{
    for (int late = 0; late < 2; late++) {
        struct aftercare a = {.since_ns = clock_ns()};
        struct verdict v;
        struct pidref nobody = PIDREF_INIT;
        if (!late)
            aftercare_status_told(&a, SIGSEGV);
        aftercare_ended(&a, &nobody, clock_ns());
        if (late)
            aftercare_status_told(&a, SIGSEGV);
        CHECK_INT(a.end, JVM_END_FAULT);
        CHECK(!aftercare_judge(&a, NULL, CRASH_GUARD_ON, &v));
        CHECK_STR(v.text, "killed by SIGSEGV at the attach");
    }
}

static void one_that_runs_has_no_status(void)
{
    int status;
    CHECK_INT(pidref_open(getpid(), 0, &p, NULL), 0);
    CHECK(!aftercare_status(&p, &status));
    pidref_done(&p);
}

static void an_end_long_after_the_attach_is_its_own_affair(void)
{
    pid_t pid = child(0, SIGSEGV);
    begin(pid);
    watch.since_ns -= AFTERCARE_S * SECOND;
    finish(pid, false);
    CHECK_STR(judge(NULL, false), "killed by SIGSEGV");
    aftercare_done(&watch);
    pid = child(0, SIGSEGV);
    begin(pid);
    watch.since_ns -= (AFTERCARE_S - 3) * SECOND;
    finish(pid, false);
    CHECK_STR(judge(NULL, false), "killed by SIGSEGV 7.0 s after the attach");
    aftercare_done(&watch);
}

static void problem(void *arg, const char *text)
{
    (void)arg;
    FAIL_("%s", text);
}

static void the_quarantine_hears_of_it(void)
{
    char said[QUARANTINE_WHY_MAX];
    uv_loop_t loop;
    uv_loop_init(&loop);
    struct quarantine *q = quarantine_new(&loop, "", problem, NULL);
    pid_t pid = child(0, SIGSEGV);
    begin(pid);
    aftercare_poll(&watch, q, clock_ns()); /* too early to say that it lives */
    finish(pid, false);
    judge(q, true);
    aftercare_done(&watch);
    CHECK(quarantine_reason(q, watch.makeup.key, said, sizeof said));
    quarantine_free(q);
    uv_loop_close(&loop);
}

static void one_that_outlives_it_is_told_to_the_quarantine(void)
{
    uv_loop_t loop;
    uv_loop_init(&loop);
    struct quarantine *q = quarantine_new(&loop, "", problem, NULL);
    pid_t pid = child(0, SIGKILL);
    begin(pid);
    const int64_t now = watch.since_ns;
    CHECK(!quarantine_died(q, &watch.makeup, JVM_END_UNKNOWN, "once"));
    aftercare_poll(&watch, q, now + (AFTERCARE_S + 1) * SECOND);
    CHECK_INT(watch.since_ns, 0);
    CHECK(watch.attached);
    CHECK(!quarantine_died(q, &watch.makeup, JVM_END_KILLED, "twice"));
    finish(pid, false);
    CHECK_INT(watch.end, JVM_END_KILLED);
    CHECK_STR(judge(q, false), ""); /* long after, it is no crash */
    aftercare_done(&watch);
    quarantine_free(q);
    uv_loop_close(&loop);
}

int main(void)
{
    RUN(a_zombie_tells_how_it_ended);
    if (kernel_tells()) {
        RUN(its_pidfd_tells_later);
        SKIP(on_older_kernels_nobody_tells_later, "this kernel keeps exit statuses in pidfds");
    } else {
        SKIP(its_pidfd_tells_later, "a kernel before 6.15");
        RUN(on_older_kernels_nobody_tells_later);
    }
    RUN(its_socket_tells_when_nobody_does);
    RUN(the_helper_tells_before_or_after_the_end);
    RUN(one_that_runs_has_no_status);
    RUN(an_end_long_after_the_attach_is_its_own_affair);
    RUN(the_quarantine_hears_of_it);
    RUN(one_that_outlives_it_is_told_to_the_quarantine);
    return REPORT();
}
