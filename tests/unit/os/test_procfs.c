#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "os/procfs.h"
#include "test.h"

/* A child that copies itself to `path`, runs from there and waits; its file is gone when this returns. */
static pid_t child_of_a_deleted_file(const char *path)
{
    int ready[2];
    if (pipe(ready) < 0)
        return -1;
    pid_t pid = fork();
    if (pid == 0) {
        char copy[256];
        snprintf(copy, sizeof copy, "cp /bin/sleep %s", path);
        if (system(copy) == 0) {
            fcntl(ready[1], F_SETFD, FD_CLOEXEC);
            execl(path, "sleep", "1000", NULL);
        }
        _exit(1);
    }
    close(ready[1]);
    char c;
    while (read(ready[0], &c, 1) > 0)
        ;
    close(ready[0]);
    unlink(path);
    return pid;
}

static void end_child(pid_t pid)
{
    kill(pid, SIGKILL);
    CHECK_INT(waitpid(pid, NULL, 0), pid);
}

static void reads_its_own_stat(void)
{
    struct procfs_stat s, again;
    struct err err = {0};
    CHECK_INT(procfs_stat(getpid(), &s, &err), 0);
    CHECK_STR(s.comm, "test_procfs");
    CHECK_INT(s.state, 'R');
    CHECK_INT(s.threads, 1);
    CHECK(!s.kernel_thread);
    CHECK(s.vsize > 1 << 20);
    CHECK(s.start_time > 0);
    CHECK_INT(procfs_stat(getpid(), &again, &err), 0);
    CHECK_INT(again.start_time, s.start_time);
}

static void a_hostile_name_does_not_shift_the_fields(void)
{
    struct procfs_stat plain, odd;
    struct err err = {0};
    CHECK_INT(procfs_stat(getpid(), &plain, &err), 0);
    prctl(PR_SET_NAME, ") R 1 (x\n) 2");
    CHECK_INT(procfs_stat(getpid(), &odd, &err), 0);
    prctl(PR_SET_NAME, "test_procfs");
    CHECK_INT(odd.start_time, plain.start_time);
    CHECK_INT(odd.threads, 1);
    CHECK_STR(odd.comm, ") R 1 (x\n) 2");
}

static void refuses_what_is_no_stat_line(void)
{
    static const char *const bad[] = {"",
                                      "1",
                                      "1 (a",
                                      "1 a)",
                                      ") (",
                                      "1 (a) ",
                                      "1 (a) S 1 2 3",
                                      "1 (a)",
                                      "1 (a) S 1 1 1 0 -1 x 0 0 0 0 1 2 0 0 20 0 1 0 100 4096 1",
                                      "1 (a) S 1 1 1 0 -1 0 0 0 0 0 1 2 0 0 20 0 1 0 99999999999999999999999 4096 1"};
    struct procfs_stat s;
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        /* A heap copy of the exact size, so that the sanitizer sees a read past the end. */
        size_t n = strlen(bad[i]);
        char *copy = malloc(n + !n);
        memcpy(copy, bad[i], n);
        if (procfs_stat_parse((struct str){copy, n}, &s))
            FAIL_("accepted \"%s\"", bad[i]);
        free(copy);
    }
    CHECK(procfs_stat_parse(STR("1 (a) S 1 1 1 0 -1 2097152 0 0 0 0 1 2 0 0 20 0 7 0 100 4096 1"), &s));
    CHECK(s.kernel_thread);
    CHECK_INT(s.cpu_ticks, 3);
    CHECK_INT(s.threads, 7);
    CHECK_INT(s.start_time, 100);
    CHECK_INT(s.vsize, 4096);
}

static void a_process_that_is_gone_is_named(void)
{
    struct procfs_stat s;
    struct err err = {0};
    CHECK_INT(procfs_stat(0x3ffffff, &s, &err), -ENOENT);
    CHECK_HAS(err.text, "/proc/67108863/stat");
}

static void lists_all_processes_in_order(void)
{
    pid_t *pids = NULL;
    size_t n = 0;
    struct err err = {0};
    CHECK_INT(procfs_pids(&pids, &n, &err), 0);
    bool found = false;
    for (size_t i = 0; i < n; i++) {
        found |= pids[i] == getpid();
        CHECK(i == 0 || pids[i - 1] < pids[i]);
    }
    CHECK(found);
    free(pids);
}

static void a_new_process_changes_the_fingerprint(void)
{
    struct procfs_load before, after;
    struct err err = {0};
    CHECK_INT(procfs_load(&before, &err), 0);
    pid_t pid = fork();
    if (pid == 0)
        _exit(0);
    CHECK_INT(waitpid(pid, NULL, 0), pid);
    CHECK_INT(procfs_load(&after, &err), 0);
    CHECK(after.last_pid != before.last_pid);
    CHECK(after.tasks > 0);
}

static void a_replaced_executable_keeps_its_name(void)
{
    char path[] = "/tmp/test-procfs-XXXXXX";
    struct err err = {0};
    CHECK(mkdtemp(path) != NULL);
    char exe[64];
    snprintf(exe, sizeof exe, "%s/java", path);
    pid_t pid = child_of_a_deleted_file(exe);
    struct buf link = BUF_INIT(4096);
    CHECK_INT(procfs_link(pid, "exe", &link, &err), 0);
    CHECK_STR(buf_cstr(&link), exe);
    buf_done(&link);
    end_child(pid);
    rmdir(path);
}

static void a_long_file_is_cut_at_the_buffer_s_end(void)
{
    struct err err = {0};
    struct buf some = BUF_INIT(7), all = BUF_INIT(1 << 16);
    CHECK_INT(procfs_read(getpid(), "cmdline", &all, &err), 0);
    CHECK(all.len > 7);
    CHECK_INT(procfs_read(getpid(), "cmdline", &some, &err), 0);
    CHECK_INT(some.len, 7);
    CHECK(memcmp(some.p, all.p, 7) == 0);
    buf_done(&some);
    buf_done(&all);
}

static void reads_large_user_ids(void)
{
    struct err err = {0};
    uint32_t uid = 1;
    CHECK_INT(procfs_uid(getpid(), &uid, &err), 0);
    CHECK_INT(uid, getuid());
    if (getuid() != 0)
        return;
    pid_t pid = fork();
    if (pid == 0) {
        if (setuid(4000000000u) == 0)
            pause();
        _exit(1);
    }
    for (int i = 0; i < 1000 && uid != 4000000000u; i++) {
        CHECK_INT(procfs_uid(pid, &uid, &err), 0);
        usleep(1000);
    }
    CHECK_INT(uid, 4000000000u);
    end_child(pid);
}

struct wanted {
    struct str path;
    unsigned hits, lines;
};

static bool count(void *arg, struct str path)
{
    struct wanted *w = arg;
    w->lines++;
    w->hits += str_eq(path, w->path);
    return true;
}

static bool stop_at_once(void *arg, struct str path)
{
    (void)path;
    ++*(unsigned *)arg;
    return false;
}

static void sees_every_mapped_file(void)
{
    struct err err = {0};
    char path[] = "/tmp/test-procfs-map-XXXXXX";
    int fd = mkstemp(path);
    CHECK_INT(ftruncate(fd, 3 << 20), 0);
    unlink(path);
    /* Enough mappings to need many reads, none merged with its neighbour. */
    enum { MAPPINGS = 500 };
    for (int i = 0; i < MAPPINGS; i++)
        CHECK(mmap(NULL, 4096, PROT_READ, MAP_SHARED, fd, (i % 2) * 8192) != MAP_FAILED);
    close(fd);
    struct wanted w = {.path = str_of(path)};
    CHECK_INT(procfs_maps(getpid(), count, &w, &err), 0);
    CHECK_INT(w.hits, MAPPINGS);
    CHECK(w.lines > MAPPINGS);
    unsigned calls = 0;
    CHECK_INT(procfs_maps(getpid(), stop_at_once, &calls, &err), 0);
    CHECK_INT(calls, 1);
}

#define ID "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"
#define EC "0123456789abcdef0123456789abcdef"

static void finds_container_ids_in_all_their_forms(void)
{
    static const struct {
        const char *cgroup, *id;
    } cases[] = {
        {"0::/docker/" ID "\n", ID},
        {"0::/system.slice/docker-" ID ".scope", ID},
        {"0::/kubepods.slice/kubepods-besteffort.slice/cri-containerd-" ID ".scope\n", ID},
        {"0::/machine.slice/libpod-" ID ".scope/container", ID},
        {"0::/kubepods/besteffort/podf3c7/" ID, ID},
        {"12:cpuset:/ecs/cluster/task/" ID, ID},
        {"0::/../../crio-" ID ".scope", ID},
        {"0::/docker/" ID "/init.scope", ID},
        {"0::/system.slice/kubepods-pod1.slice:cri-containerd:" ID "\n", ID},
        {"1:name=systemd:/user.slice\n0::/docker/" ID "\n", ID},
        {"0::/docker/f" ID, ""},
        {"0::/docker/" ID "0", ""},
        {"0::/ecs/" EC "/" EC "-2531612879\n", EC "-2531612879"},
        {"0::/ecs/" EC "/" EC "-", ""},
        {"0::/ecs/" EC, ""},
        {"0::/user.slice/user-1000.slice/session-2.scope", ""},
        {"0::/", ""},
        {ID, ""},
        {"", ""},
        {"\n\n", ""},
        {"0::/docker/0123456789ABCDEF0123456789ABCDEF0123456789ABCDEF0123456789ABCDEF", ""},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct str got = procfs_container_id(str_of(cases[i].cgroup));
        if (!str_is(got, cases[i].id))
            FAIL_("%s: \"%.*s\", want \"%s\"", cases[i].cgroup, STR_ARG(got), cases[i].id);
    }
}

static void of_nested_containers_the_inner_one_counts(void)
{
    struct str got = procfs_container_id(STR("0::/docker/" EC EC "/docker/" ID));
    CHECK(str_is(got, ID));
}

int main(void)
{
    RUN(reads_its_own_stat);
    RUN(a_hostile_name_does_not_shift_the_fields);
    RUN(refuses_what_is_no_stat_line);
    RUN(a_process_that_is_gone_is_named);
    RUN(lists_all_processes_in_order);
    RUN(a_new_process_changes_the_fingerprint);
    RUN(a_replaced_executable_keeps_its_name);
    RUN(a_long_file_is_cut_at_the_buffer_s_end);
    RUN(reads_large_user_ids);
    RUN(sees_every_mapped_file);
    RUN(finds_container_ids_in_all_their_forms);
    RUN(of_nested_containers_the_inner_one_counts);
    return REPORT();
}
