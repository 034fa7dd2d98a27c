/* Becoming another user for good, each time in a process of its own. Needs root. */
#include "os/rights.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <linux/capability.h>
#include <sched.h>
#include <signal.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/cleanup.h"
#include "os/fsutil.h"
#include "os/procfs.h"
#include "test.h"

enum { USER = 1234, GROUP = 1235 };

static struct err err;
static char dir[] = "/tmp/smolder-rights-XXXXXX";

static void ids_and_groups_are_read(void)
{
    cleanup_rights struct rights r = {0};
    CHECK_INT(
        rights_parse(STR("Name:\tUid:\t7\nUid:\t1\t2\t3\t4\nGid:\t5\t6\t7\t8\nGroups:\t4 24 4294967294 \n"), &r, &err),
        0);
    CHECK_INT(r.uid, 2);
    CHECK_INT(r.gid, 6);
    CHECK_INT(r.group_count, 3);
    CHECK_INT(r.groups[1], 24);
    CHECK_INT(r.groups[2], 4294967294u);
    cleanup_rights struct rights none = {0};
    CHECK_INT(rights_parse(STR("Uid:\t1\t2\t3\t4\nGid:\t5\t6\t7\t8\nGroups:\t \n"), &none, &err), 0);
    CHECK_INT(none.group_count, 0);
    CHECK(!rights_equal(&r, &none) && rights_equal(&none, &none));
}

static void a_status_without_ids_is_refused(void)
{
    static const char *const texts[] = {"", "Uid:\t1\n", "Uid:\t1\tx\t3\t4\nGid:\t1\t2\t3\t4\n", "Uid:\t1\t2\t3\t4\n",
                                        "Uid:\t1\t99999999999\t3\t4\nGid:\t1\t2\t3\t4\n"};
    struct rights r;
    for (size_t i = 0; i < ARRAY_LEN(texts); i++)
        CHECK_INT(rights_parse(str_of(texts[i]), &r, &err), -EBADMSG);
}

/* Becomes USER, and ends with what `then` says. */
static int as_user(bool (*then)(void))
{
    int status = -1;
    fflush(stdout);
    const pid_t pid = fork();
    if (pid == 0) {
        gid_t groups[] = {GROUP, 7};
        const struct rights r = {USER, GROUP, groups, ARRAY_LEN(groups)};
        const int code = rights_become(&r, &err);
        if (code < 0)
            fprintf(stderr, "%s\n", err.text);
        _exit(code < 0 || !then());
    }
    waitpid(pid, &status, 0);
    return status;
}

static struct str field_of_self(struct buf *text, const char *name)
{
    (void)!procfs_read(getpid(), "status", text, &err);
    return procfs_status_field(buf_slice(text), name);
}

static bool has_nothing_left(void)
{
    static const char *const sets[] = {"CapInh", "CapPrm", "CapEff", "CapBnd", "CapAmb"};
    for (size_t i = 0; i < ARRAY_LEN(sets); i++) {
        cleanup_buf struct buf text = BUF_INIT(1 << 16);
        if (!str_is(field_of_self(&text, sets[i]), "0000000000000000"))
            return false;
    }
    cleanup_buf struct buf a = BUF_INIT(1 << 16), b = BUF_INIT(1 << 16), c = BUF_INIT(1 << 16), d = BUF_INIT(1 << 16);
    return str_is(field_of_self(&a, "Uid"), "1234\t1234\t1234\t1234") &&
           str_is(field_of_self(&b, "Gid"), "1235\t1235\t1235\t1235") &&
           str_is(field_of_self(&c, "Groups"), "7 1235") && str_is(field_of_self(&d, "NoNewPrivs"), "1");
}

static void it_is_that_user_with_no_capability_and_for_good(void)
{
    CHECK_INT(as_user(has_nothing_left), 0);
}

static bool cannot_come_back(void)
{
    return setuid(0) < 0 && seteuid(0) < 0 && setgid(0) < 0 && setgroups(0, NULL) < 0 && unshare(CLONE_NEWNS) < 0;
}

static void it_cannot_come_back(void)
{
    CHECK_INT(as_user(cannot_come_back), 0);
}

static bool is_refused_what_the_user_is(void)
{
    char path[64];
    snprintf(path, sizeof path, "%s/secret", dir);
    return open(path, O_RDONLY | O_CLOEXEC) < 0 && errno == EACCES && unlink(path) < 0 && errno == EACCES &&
           chmod(path, 0777) < 0 && errno == EPERM && kill(getppid(), 0) < 0 && errno == EPERM;
}

static void what_is_refused_to_the_user_is_refused(void)
{
    char path[64];
    snprintf(path, sizeof path, "%s/secret", dir);
    cleanup_close int fd = open(path, O_CREAT | O_WRONLY | O_CLOEXEC, 0600);
    CHECK(fd >= 0);
    CHECK_INT(as_user(is_refused_what_the_user_is), 0);
}

static bool still_opens_its_own_descriptors_anew(void)
{
    cleanup_close int peek = open("/etc/passwd", O_PATH | O_CLOEXEC);
    cleanup_close int fd = fs_reopen(peek, O_RDONLY);
    return fd >= 0;
}

static void descriptors_can_be_opened_anew(void)
{
    CHECK_INT(as_user(still_opens_its_own_descriptors_anew), 0);
}

/* The user it became may not look into its memory. */
static bool is_closed_to_its_user(void)
{
    int status = -1;
    const pid_t parent = getpid(), spy = fork();
    if (spy == 0)
        _exit(ptrace(PTRACE_SEIZE, parent, NULL, NULL) == 0);
    waitpid(spy, &status, 0);
    return status == 0;
}

static void its_user_may_not_trace_it(void)
{
    CHECK_INT(as_user(is_closed_to_its_user), 0);
}

/* The host's root, or that of a container without a user namespace. */
static void root_keeps_its_number_and_no_capability(void)
{
    int status = -1;
    const pid_t pid = fork();
    if (pid == 0) {
        const struct rights r = {0};
        cleanup_buf struct buf text = BUF_INIT(1 << 16);
        bool fine = rights_become(&r, &err) == 0 && geteuid() == 0 &&
                    str_is(field_of_self(&text, "CapEff"), "0000000000000000") && unshare(CLONE_NEWNS) < 0 &&
                    chown(dir, 1, 1) < 0;
        _exit(!fine);
    }
    waitpid(pid, &status, 0);
    CHECK_INT(status, 0);
}

/* An agent that is no root profiles its own user's JVMs, and no others. */
static bool others_are_refused(void)
{
    const struct rights mine = {USER, GROUP, NULL, 0}, roots = {0};
    return rights_become(&mine, &err) == 0 && rights_become(&roots, &err) == -EPERM &&
           strstr(err.text, "smolder must run as root or as that user");
}

static void without_privilege_only_ones_own_rights_are_to_be_had(void)
{
    CHECK_INT(as_user(others_are_refused), 0);
}

/* A file in a setgid directory has another group than its owner, who may read it all the same. */
static bool another_group_of_ones_own_user_is_no_obstacle(void)
{
    const struct rights other = {USER, 4321, NULL, 0};
    return rights_become(&other, &err) == 0 && getegid() == GROUP;
}

static void without_privilege_ones_groups_stay(void)
{
    CHECK_INT(as_user(another_group_of_ones_own_user_is_no_obstacle), 0);
}

static bool capabilities_are(const char *name, const char *hex)
{
    cleanup_buf struct buf text = BUF_INIT(1 << 16);
    return procfs_read(getpid(), "status", &text, NULL) == 0 &&
           str_is(str_trim(procfs_status_field((struct str){(const char *)text.p, text.len}, name)), hex);
}

static void what_is_executed_has_what_is_passed_on(void)
{
    fflush(stdout);
    const pid_t pid = fork();
    if (pid == 0) {
        static const char one[] = "0000000000000020", none[] = "0000000000000000";
        const bool passed = rights_pass_on(RIGHTS_CAP(CAP_KILL)) == 0 && capabilities_are("CapInh", one) &&
                            capabilities_are("CapAmb", one);
        _exit(!passed || rights_pass_on(0) < 0 || !capabilities_are("CapInh", none) ||
              !capabilities_are("CapAmb", none));
    }
    int status = -1;
    waitpid(pid, &status, 0);
    CHECK_INT(status, 0);
}

int main(void)
{
    RUN(ids_and_groups_are_read);
    RUN(a_status_without_ids_is_refused);
    if (geteuid() != 0 || !mkdtemp(dir)) {
        SKIP(rights, "needs root");
        return REPORT();
    }
    chmod(dir, 0755);
    RUN(it_is_that_user_with_no_capability_and_for_good);
    RUN(it_cannot_come_back);
    RUN(what_is_refused_to_the_user_is_refused);
    RUN(descriptors_can_be_opened_anew);
    RUN(its_user_may_not_trace_it);
    RUN(what_is_executed_has_what_is_passed_on);
    RUN(root_keeps_its_number_and_no_capability);
    RUN(without_privilege_ones_groups_stay);
    RUN(without_privilege_only_ones_own_rights_are_to_be_had);
    char path[64];
    snprintf(path, sizeof path, "%s/secret", dir);
    unlink(path);
    rmdir(dir);
    return REPORT();
}
