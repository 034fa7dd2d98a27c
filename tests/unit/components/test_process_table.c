/* Which processes a full scan reads again. The reads are this test's own: it says that they ended. */
#include "components/process_table.h"

#include <signal.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "test.h"

/* A child that does nothing. */
static pid_t idle_child(void)
{
    const pid_t pid = fork();
    if (pid == 0) {
        prctl(PR_SET_PDEATHSIG, SIGKILL);
        for (;;)
            pause();
    }
    struct procfs_stat stat = {0};
    for (unsigned i = 0; i < 6000 && stat.state != 'S'; i++, usleep(10000))
        if (procfs_stat(pid, &stat, NULL) < 0)
            break;
    return pid;
}

static void end_child(pid_t pid)
{
    kill(pid, SIGKILL);
    CHECK_INT(waitpid(pid, NULL, 0), pid);
}

/* A look at once. */
static int look(struct process_table *t, bool all, struct process_poll *poll, struct err *err)
{
    struct process_look *l;
    const int code = process_look_new(t, all, &l, err);
    *poll = (struct process_poll){0};
    if (code < 0 || !l)
        return code;
    process_look_run(l);
    return process_look_take(l, t, poll, err);
}

/* A full scan: whether the process is to be read; then everything is read. */
static bool full_scan(struct process_table *t, pid_t pid)
{
    struct process_poll poll;
    struct err err = {0};
    CHECK_INT(look(t, true, &poll, &err), 0);
    const struct process *p = process_table_find(t, pid);
    CHECK(p != NULL);
    const bool wanted = p && p->pending == READ_ALL;
    for (size_t i = 0; i < t->len; i++) {
        t->items[i].pending = READ_NOTHING;
        t->items[i].complete = true;
    }
    return wanted;
}

static void an_idle_process_is_read_once_in_many_scans(void)
{
    struct process_table t = {0};
    const pid_t pid = idle_child();
    CHECK(full_scan(&t, pid));
    unsigned reads = 0;
    for (unsigned i = 0; i < 3 * PROCESS_REREAD_EVERY; i++)
        reads += full_scan(&t, pid);
    CHECK_INT(reads, 3);
    process_table_done(&t);
    end_child(pid);
}

static void a_process_that_has_run_is_read(void)
{
    struct process_table t = {0};
    CHECK(full_scan(&t, getpid()));
    for (unsigned i = 0; i < PROCESS_REREAD_EVERY; i++)
        CHECK(full_scan(&t, getpid()));
    process_table_done(&t);
}

static void what_was_not_read_completely_is_read_again(void)
{
    struct process_table t = {0};
    const pid_t pid = idle_child();
    for (unsigned i = 0; i < 3; i++) {
        CHECK(full_scan(&t, pid));
        process_table_find(&t, pid)->complete = false;
    }
    process_table_done(&t);
    end_child(pid);
}

static void another_inode_is_another_process(void)
{
    struct process_table t = {0};
    const pid_t pid = idle_child();
    CHECK(full_scan(&t, pid));
    struct process *p = process_table_find(&t, pid);
    CHECK(p->inode != 0);
    p->inode++;
    p->settled = p->user_known = true;
    CHECK(full_scan(&t, pid));
    p = process_table_find(&t, pid);
    CHECK(!p->settled && !p->user_known);
    process_table_done(&t);
    end_child(pid);
}

/* As if it were new, and something had started since. */
static bool is_compared_again(struct process_table *t, pid_t pid, uint64_t start_time)
{
    struct process_poll poll;
    struct err err = {0};
    struct process *p = process_table_find(t, pid);
    p->pending = p->reading = READ_NOTHING;
    p->fresh = 3;
    p->start_time = start_time;
    p->program = 0;
    t->load.last_pid = 0; /* something has started */
    t->to_compare = 0;
    t->started = 0;
    CHECK_INT(look(t, false, &poll, &err), 0);
    p = process_table_find(t, pid);
    return p->pending == READ_IF_JAVA || p->program != 0;
}

static void a_fresh_process_is_compared(void)
{
    struct process_table t = {0};
    const pid_t pid = idle_child();
    struct procfs_stat stat;
    CHECK_INT(procfs_stat(pid, &stat, NULL), 0);
    CHECK(full_scan(&t, pid));
    CHECK(is_compared_again(&t, pid, stat.start_time));
    CHECK(is_compared_again(&t, pid, 0));
    process_table_done(&t);
    end_child(pid);
}

int main(void)
{
    RUN(an_idle_process_is_read_once_in_many_scans);
    RUN(a_process_that_has_run_is_read);
    RUN(what_was_not_read_completely_is_read_again);
    RUN(another_inode_is_another_process);
    RUN(a_fresh_process_is_compared);
    return REPORT();
}
