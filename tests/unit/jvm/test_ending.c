/* How a process ended, asked of a real helper. */
#include "jvm/operation/ending.h"

#include <signal.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include "jvm/operation/table.h"
#include "os/procfs.h"
#include "test.h"

enum { USER = 54321 };

static uv_loop_t loop;
static struct priv *priv;
static struct told {
    bool done, known;
    int status;
} told;

static void on_ending(void *arg, bool known, int status)
{
    (void)arg;
    told = (struct told){true, known, status};
}

static void on_lost(void *arg, bool replaced)
{
    (void)arg;
    (void)replaced;
    FAIL_("%s", "the helper is lost");
}

static void ask(struct jvm_id id)
{
    told = (struct told){0};
    CHECK(jvm_ending(priv, 1, id, on_ending, NULL) > 0);
    while (!told.done)
        uv_run(&loop, UV_RUN_ONCE);
}

/* A child of another user, if this is root: killed by `sig`, and not waited for, or still there (0). */
static struct jvm_id other(int sig)
{
    const pid_t pid = fork();
    struct procfs_stat stat = {0};
    if (pid == 0) {
        if (geteuid() == 0 && setresuid(USER, USER, USER) < 0)
            _exit(1);
        for (;;)
            pause();
    }
    CHECK_INT(procfs_stat(pid, &stat, NULL), 0);
    if (sig)
        kill(pid, sig);
    siginfo_t info;
    if (sig)
        CHECK_INT(waitid(P_PID, (id_t)pid, &info, WEXITED | WNOWAIT), 0);
    return (struct jvm_id){pid, stat.start_time};
}

static void a_zombie_of_another_user_tells_it(void)
{
    const struct jvm_id id = other(SIGKILL);
    ask(id);
    CHECK(told.known);
    CHECK(WIFSIGNALED(told.status) && WTERMSIG(told.status) == SIGKILL);
    ask((struct jvm_id){id.pid, id.start_time + 1});
    CHECK(!told.known);
    waitpid(id.pid, NULL, 0);
    ask(id);
    CHECK(!told.known);
}

static void one_that_runs_does_not(void)
{
    const struct jvm_id id = other(0);
    ask(id);
    CHECK(!told.known);
    kill(id.pid, SIGKILL);
    waitpid(id.pid, NULL, 0);
}

int main(void)
{
    struct err err = {0};
    if (priv_start(jvm_ops, NULL, &priv, &err) < 0 || uv_loop_init(&loop) < 0 ||
        priv_attach(priv, &loop, on_lost, NULL, &err) < 0) {
        printf("cannot start: %s\n", err.text);
        return 1;
    }
    RUN(a_zombie_of_another_user_tells_it);
    RUN(one_that_runs_does_not);
    priv_stop(priv);
    uv_run(&loop, UV_RUN_DEFAULT);
    return REPORT();
}
