/* What is left of root, in a process of its own each time. */
#include "cli/privileges.h"

#include <errno.h>
#include <grp.h>
#include <linux/capability.h>
#include <pthread.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/cleanup.h"
#include "base/str.h"
#include "os/procfs.h"
#include "os/rights.h"
#include "test.h"

static struct err err;

/* True when `then` returns true in a process that was root. */
static bool in_a_process(bool (*then)(void))
{
    int status = 0;
    fflush(stdout);
    const pid_t pid = fork();
    if (pid == 0)
        _exit(!then());
    waitpid(pid, &status, 0);
    return WIFEXITED(status) && WEXITSTATUS(status) == 0;
}

/* One field of each thread of this process. */
static bool every_thread_has(const char *name, const char *want)
{
    cleanup_closedir DIR *d = opendir("/proc/self/task");
    unsigned threads = 0;
    for (struct dirent *e; d && (e = readdir(d));) {
        cleanup_buf struct buf text = BUF_INIT(1 << 16);
        if (e->d_name[0] == '.')
            continue;
        if (procfs_read((pid_t)strtol(e->d_name, NULL, 10), "status", &text, &err) < 0)
            return false;
        const struct str got = str_trim(procfs_status_field(buf_slice(&text), name));
        if (!str_is(got, want)) {
            fprintf(stderr, "%s of a thread is %.*s\n", name, STR_ARG(got));
            return false;
        }
        threads++;
    }
    return threads == 2;
}

static _Noreturn void *wait_for_the_end(void *arg)
{
    (void)arg;
    for (;;)
        pause();
}

static bool nothing_is_left(void)
{
    static const gid_t groups[] = {0, 7};
    static const char none[] = "0000000000000000";
    struct privileges p;
    pthread_t thread;
    if (setgroups(2, groups) < 0 || privileges_plan("54321:54322", &p, &err) < 0 || !p.drop || p.warning[0] ||
        privileges_begin(&err) < 0 || pthread_create(&thread, NULL, wait_for_the_end, NULL) != 0 ||
        privileges_drop(&p, &err) < 0)
        return false;
    return every_thread_has("Uid", "54321\t54321\t54321\t54321") &&
           every_thread_has("Gid", "54322\t54322\t54322\t54322") && every_thread_has("Groups", "") &&
           every_thread_has("CapPrm", none) && every_thread_has("CapEff", none) && every_thread_has("CapAmb", none) &&
           every_thread_has("NoNewPrivs", "1") && setresuid(0, 0, 0) < 0 && setgroups(0, NULL) < 0;
}

static void the_main_process_is_an_ordinary_user_for_good(void)
{
    CHECK(in_a_process(nothing_is_left));
}

static void a_host_without_the_user_gets_a_number(void)
{
    struct privileges p;
    struct host_user known;
    CHECK_INT(privileges_plan("", &p, &err), 0);
    CHECK(p.drop);
    if (account_find(PRIVILEGES_USER, &known, &err) < 0)
        CHECK_INT(p.user.uid, PRIVILEGES_NUMBER);
    else
        CHECK_INT(p.user.uid, known.uid);
}

static void root_may_be_kept_with_a_warning(void)
{
    struct privileges p;
    CHECK_INT(privileges_plan("root", &p, &err), 0);
    CHECK(!p.drop);
    CHECK_HAS(p.warning, "keeps running as root");
    CHECK(privileges_plan("nobody-of-this-name", &p, &err) < 0);
    CHECK_HAS(err.text, "--user=nobody-of-this-name");
}

/* As in a container without CAP_SETUID. */
static bool root_without_setuid_stays_root(void)
{
    struct privileges p;
    if (rights_limit(RIGHTS_CAP(CAP_SETPCAP)) < 0 || privileges_plan("", &p, &err) < 0)
        return false;
    return !p.drop && strstr(p.warning, "no CAP_SETUID") && privileges_plan("54321", &p, &err) == -EPERM;
}

static bool an_ordinary_user_stays_one(void)
{
    struct privileges p;
    if (setresuid(54321, 54321, 54321) < 0 || privileges_plan("", &p, &err) < 0 || p.drop || p.warning[0])
        return false;
    return privileges_begin(&err) == 0 && privileges_drop(&p, &err) == 0 && privileges_plan("54321", &p, &err) == 0 &&
           privileges_plan("root", &p, &err) < 0;
}

static void who_is_no_root_becomes_nobody_else(void)
{
    CHECK(in_a_process(an_ordinary_user_stays_one));
    CHECK(in_a_process(root_without_setuid_stays_root));
}

int main(void)
{
    if (geteuid() != 0) {
        SKIP(everything, "only root has something to drop");
        return 0;
    }
    RUN(the_main_process_is_an_ordinary_user_for_good);
    RUN(a_host_without_the_user_gets_a_number);
    RUN(root_may_be_kept_with_a_warning);
    RUN(who_is_no_root_becomes_nobody_else);
    return REPORT();
}
