/* Being where another process is. */
#include "os/namespace.h"

#include <errno.h>
#include <sched.h>
#include <signal.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "os/rights.h"
#include "test.h"

/* A process, in an IPC namespace of its own if that is to be had. */
static pid_t a_process(bool apart, bool *is_apart)
{
    int ends[2];
    char done = 0;
    CHECK_INT(pipe(ends), 0);
    const pid_t pid = fork();
    if (pid == 0) {
        done = apart && unshare(CLONE_NEWIPC) == 0;
        (void)!write(ends[1], &done, 1);
        for (;;)
            pause();
    }
    CHECK_INT(read(ends[0], &done, 1), 1);
    close(ends[0]);
    close(ends[1]);
    *is_apart = done;
    return pid;
}

static ino_t ipc_of(const char *who)
{
    char path[64];
    struct stat st = {0};
    snprintf(path, sizeof path, "/proc/%s/ns/ipc", who);
    CHECK_INT(stat(path, &st), 0);
    return st.st_ino;
}

/* In a process of its own, for it would stay there. Returns what namespace_enter() returned, or 1 if it is not where it
 * should be. */
static int enter_apart(pid_t target, bool without_rights)
{
    int status = -1;
    const pid_t pid = fork();
    if (pid == 0) {
        char who[16];
        struct pidref p = PIDREF_INIT;
        snprintf(who, sizeof who, "%d", (int)target);
        if (pidref_open(target, 0, &p, NULL) < 0)
            _exit(2);
        if (without_rights && rights_limit(RIGHTS_CAP(19)) < 0) /* CAP_SYS_PTRACE alone */
            _exit(3);
        const int code = namespace_enter(&p, "ipc", NULL);
        _exit(code < 0 ? -code : ipc_of("self") == ipc_of(who) ? 0 : 1);
    }
    waitpid(pid, &status, 0);
    return -WEXITSTATUS(status);
}

static void the_same_namespace_requires_nothing(void)
{
    bool apart;
    const pid_t pid = a_process(false, &apart);
    CHECK_INT(enter_apart(pid, false), 0);
    CHECK_INT(enter_apart(pid, true), 0);
    kill(pid, SIGKILL);
    waitpid(pid, NULL, 0);
}

static void another_one_requires_a_capability(void)
{
    bool apart;
    const pid_t pid = a_process(true, &apart);
    if (apart) {
        CHECK_INT(enter_apart(pid, false), 0);
        CHECK_INT(enter_apart(pid, true), -EPERM);
    } else {
        printf("not root: no namespace of its own\n");
    }
    kill(pid, SIGKILL);
    waitpid(pid, NULL, 0);
}

static void a_process_that_ended_has_none(void)
{
    bool apart;
    const pid_t pid = a_process(false, &apart);
    struct err err = {0};
    struct pidref p = PIDREF_INIT;
    CHECK_INT(pidref_open(pid, 0, &p, NULL), 0);
    kill(pid, SIGKILL);
    waitpid(pid, NULL, 0);
    CHECK(namespace_enter(&p, "ipc", &err) < 0);
    CHECK_HAS(err.text, "ns/ipc");
    pidref_done(&p);
}

int main(void)
{
    RUN(the_same_namespace_requires_nothing);
    RUN(another_one_requires_a_capability);
    RUN(a_process_that_ended_has_none);
    return REPORT();
}
