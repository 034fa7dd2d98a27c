/* Whose a process is, with processes in namespaces of their own. Needs root. */
#include "jvm/probe/user.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "test.h"

enum { ALICE = 1234, SUB_ID = 100000 };
static char text[JVM_USER_TEXT];

static bool write_map(pid_t pid, const char *map, const char *line)
{
    char path[64];
    snprintf(path, sizeof path, "/proc/%d/%s", (int)pid, map);
    cleanup_close int fd = open(path, O_WRONLY | O_CLOEXEC);
    return fd >= 0 && write(fd, line, strlen(line)) == (ssize_t)strlen(line);
}

struct made {
    pid_t pid;
    int up, down;
};

/* A process of `uid` that has unshared `spaces`, or pid 0. Root then writes a map of many ids; the process becomes
 * number `inner` in it. */
static struct made make(uid_t uid, int spaces, uid_t inner)
{
    int up[2], down[2];
    char byte = 0;
    CHECK(pipe2(up, O_CLOEXEC) == 0 && pipe2(down, O_CLOEXEC) == 0);
    struct made m = {.pid = fork()};
    if (m.pid == 0) {
        bool fine = setresgid(uid, uid, uid) == 0 && setresuid(uid, uid, uid) == 0 && unshare(spaces) == 0;
        fine = write(up[1], fine ? "y" : "n", 1) == 1 && read(down[0], &byte, 1) == 1;
        if (inner && (setresgid(inner, inner, inner) < 0 || setresuid(inner, inner, inner) < 0))
            fine = false;
        fine = write(up[1], fine ? "y" : "n", 1) == 1;
        (void)!read(down[0], &byte, 1);
        _exit(0);
    }
    close(up[1]);
    close(down[0]);
    m.up = up[0];
    m.down = down[1];
    bool fine = read(m.up, &byte, 1) == 1 && byte == 'y';
    if (fine && spaces & CLONE_NEWUSER)
        fine = write_map(m.pid, "uid_map", "0 100000 65536") && write_map(m.pid, "gid_map", "0 100000 65536");
    fine = write(m.down, "x", 1) == 1 && read(m.up, &byte, 1) == 1 && byte == 'y' && fine;
    if (fine)
        return m;
    kill(m.pid, SIGKILL);
    waitpid(m.pid, NULL, 0);
    m.pid = 0;
    return m;
}

static void end(struct made *m)
{
    close(m->up);
    close(m->down);
    if (m->pid) {
        kill(m->pid, SIGKILL);
        waitpid(m->pid, NULL, 0);
    }
}

static void the_hosts_root_is_nobody(void)
{
    CHECK_INT(jvm_user_of(getpid()), 0);
    CHECK_STR(jvm_user_text(0, text), "root");
}

static void a_local_user_is_a_number(void)
{
    struct made m = make(ALICE, 0, 0);
    CHECK_STR(jvm_user_text(jvm_user_of(m.pid), text), "user 1234");
    end(&m);
}

/* Subordinate ids are no way to more than one share. */
static void a_users_namespaces_are_that_users(void)
{
    struct made m = make(ALICE, CLONE_NEWUSER | CLONE_NEWNS, 77);
    if (!m.pid) {
        SKIP(a_users_namespaces_are_that_users, "no user namespaces here");
        return;
    }
    CHECK_STR(jvm_user_text(jvm_user_of(m.pid), text), "user 1234");
    end(&m);
}

static void a_container_is_one_whatever_its_processes_call_themselves(void)
{
    struct made plain = make(0, CLONE_NEWNS, 5), mapped = make(0, CLONE_NEWUSER | CLONE_NEWNS, 77);
    if (!plain.pid || !mapped.pid) {
        SKIP(a_container_is_one_whatever_its_processes_call_themselves, "no namespaces here");
    } else {
        CHECK_HAS(jvm_user_text(jvm_user_of(plain.pid), text), "container ");
        CHECK_HAS(jvm_user_text(jvm_user_of(mapped.pid), text), "container ");
        CHECK(jvm_user_of(plain.pid) != jvm_user_of(mapped.pid));
    }
    end(&plain);
    end(&mapped);
}

static void who_is_gone_is_not_root(void)
{
    const pid_t pid = fork();
    if (pid == 0)
        _exit(0);
    waitpid(pid, NULL, 0);
    CHECK(jvm_user_of(pid) != 0);
}

int main(void)
{
    if (geteuid() != 0) {
        SKIP(user, "needs root");
        return REPORT();
    }
    RUN(the_hosts_root_is_nobody);
    RUN(a_local_user_is_a_number);
    RUN(a_users_namespaces_are_that_users);
    RUN(a_container_is_one_whatever_its_processes_call_themselves);
    RUN(who_is_gone_is_not_root);
    return REPORT();
}
