#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/cleanup.h"
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
    CHECK_INT(procfs_vsize(getpid()), s.vsize);
    CHECK_INT(procfs_vsize(0x3ffffff), 0);
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
    struct procfs_pid *pids = NULL;
    size_t n = 0;
    struct err err = {0};
    CHECK_INT(procfs_pids(&pids, &n, &err), 0);
    bool found = false;
    for (size_t i = 0; i < n; i++) {
        found |= pids[i].pid == getpid();
        CHECK(pids[i].inode != 0);
        CHECK(i == 0 || pids[i - 1].pid < pids[i].pid);
    }
    CHECK(found);
    free(pids);
}

static void a_process_that_does_not_run_uses_no_cpu_time(void)
{
    int ready[2], go[2];
    CHECK(pipe(ready) == 0 && pipe(go) == 0);
    const pid_t pid = fork();
    if (pid == 0) {
        for (char c; write(ready[1], "", 1) == 1 && read(go[0], &c, 1) == 1;)
            ;
        _exit(0);
    }
    char c;
    CHECK_INT(read(ready[0], &c, 1), 1);
    struct procfs_stat stat = {0};
    for (unsigned i = 0; i < 1000 && stat.state != 'S'; i++, usleep(10000))
        CHECK_INT(procfs_stat(pid, &stat, NULL), 0);
    const uint64_t before = procfs_cpu_ns(pid);
    CHECK(before > 0);
    usleep(20000);
    CHECK_INT(procfs_cpu_ns(pid), before);
    CHECK_INT(write(go[1], "", 1), 1);
    CHECK_INT(read(ready[0], &c, 1), 1);
    for (unsigned i = 0; i < 1000 && procfs_cpu_ns(pid) == before; i++)
        usleep(10000);
    CHECK(procfs_cpu_ns(pid) > before);
    kill(pid, SIGKILL);
    CHECK_INT(waitpid(pid, NULL, 0), pid);
    CHECK_INT(procfs_cpu_ns(pid), 0);
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

static bool count(void *arg, struct str path, uint64_t start)
{
    (void)start;
    struct wanted *w = arg;
    w->lines++;
    w->hits += str_eq(path, w->path);
    return true;
}

static bool stop_at_once(void *arg, struct str path, uint64_t start)
{
    (void)start;
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

#define ID    "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"
#define OTHER "fedcba9876543210fedcba9876543210fedcba9876543210fedcba9876543210"
#define EC    "0123456789abcdef0123456789abcdef"
#define POD   "85adbef3_622f_4ef2_8f60_a8bdf3eb6c72"
#define MY    "/user.slice/user-1000.slice/user@1000.service"

struct cgroup_case {
    const char *cgroup, *id;
    bool delegated;
};

static void check_containers(const struct cgroup_case *cases, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        struct procfs_container got = procfs_container(str_of(cases[i].cgroup));
        if (!str_is(got.id, cases[i].id) || got.delegated != cases[i].delegated)
            FAIL_("%s: \"%.*s\"%s, want \"%s\"", cases[i].cgroup, STR_ARG(got.id), got.delegated ? " delegated" : "",
                  cases[i].id);
    }
}
#define CHECK_CONTAINERS(...)                                                                                          \
    check_containers((const struct cgroup_case[]){__VA_ARGS__},                                                        \
                     sizeof(const struct cgroup_case[]){__VA_ARGS__} / sizeof(struct cgroup_case))

static void finds_container_ids_in_all_their_forms(void)
{
    CHECK_CONTAINERS(
        {"0::/docker/" ID "\n", ID}, {"0::/system.slice/docker-" ID ".scope", ID},
        {"0::/kubepods.slice/kubepods-besteffort.slice/kubepods-besteffort-pod" POD ".slice/cri-containerd-" ID
         ".scope\n",
         ID},
        {"0::/kubelet.slice/kubelet-kubepods.slice/kubelet-kubepods-pod" POD ".slice/cri-containerd-" ID ".scope", ID},
        {"0::/kubepods.slice/kubepods-burstable.slice/kubepods-burstable-pod" POD ".slice/crio-" ID ".scope", ID},
        {"0::/kubepods.slice/kubepods-pod" POD ".slice/docker-" ID ".scope", ID},
        {"0::/machine.slice/libpod-" ID ".scope/container", ID}, {"0::/machine.slice/libpod-" ID ".scope", ID},
        {"0::/libpod_parent/libpod-" ID, ID}, {"0::/kubepods/besteffort/podf3c7/" ID, ID}, {"0::/default/" ID, ID},
        {"0::/system.slice/nerdctl-" ID ".scope", ID}, {"12:cpuset:/ecs/cluster/task/" ID, ID},
        {"0::/ecstasks.slice/ecstasks-" EC ".slice/docker-" ID ".scope", ID}, {"0::/actions_job/" ID, ID},
        {"0::/../../crio-" ID ".scope", ID}, {"0::/../" ID, ID}, {"0::/../cri-containerd-" ID ".scope", ID},
        {"0::/docker/" ID "/init.scope", ID}, {"0::/docker/" ID "/system.slice/tomcat.service", ID},
        {"0::/system.slice/kubepods-pod1.slice:cri-containerd:" ID "\n", ID},
        {"0::/system.slice/containerd.service/kubepods-burstable-pod" POD ".slice:cri-containerd:" ID, ID},
        {"0::/system.slice/containerd.service/kubelet-kubepods-burstable-pod" POD ".slice:cri-containerd:" ID, ID},
        {"0::/system.slice/k3s.service/kubepods/besteffort/pod1/" ID, ID},
        {"0::/system.slice/snap.docker.dockerd.service/docker/" ID, ID},
        {"1:name=systemd:/user.slice\n0::/docker/" ID "\n", ID},
        {"11:blkio:/kubepods/besteffort/pod1/" ID "\n1:name=systemd:/kubepods/besteffort/pod1/" ID "\n", ID},
        {"0::/ecs/" EC "/" EC "-2531612879\n", EC "-2531612879"});
}

static void what_is_no_container_has_no_id(void)
{
    CHECK_CONTAINERS(
        {"0::/docker/f" ID, ""}, {"0::/docker/" ID "0", ""}, {"0::/ecs/" EC "/" EC "-", ""}, {"0::/ecs/" EC, ""},
        {"0::/user.slice/user-1000.slice/session-2.scope", ""}, {"0::/", ""}, {ID, ""}, {"", ""}, {"\n\n", ""},
        {"0::/docker/0123456789ABCDEF0123456789ABCDEF0123456789ABCDEF0123456789ABCDEF", ""},
        {"0::/system.slice/smolder.service", ""}, {"0::" MY "/app.slice/app-java-1.scope", ""},
        {"0::/system.slice/:" ID, ""}, {"0::/system.slice/-" ID ".scope", ""}, {"0::/x/.scope", ""},
        {"0::/machine.slice/machine-" ID ".scope", ""} /* a name that whoever registers a machine chooses */);
}

/* Paths that a process can give itself, in a container or below what was delegated to it, and what is right for
 * them. */
static void a_name_made_further_in_does_not_count(void)
{
    CHECK_CONTAINERS(
        {"0::/docker/" ID "/docker/" OTHER, ID}, {"0::/docker/" ID "/docker-" OTHER ".scope", ID},
        {"0::/docker/" ID "/" OTHER, ID},
        {"0::/kubepods.slice/kubepods-pod" POD ".slice/cri-containerd-" ID ".scope/cri-containerd-" OTHER ".scope", ID},
        {"0::/system.slice/docker-" ID ".scope/kubelet.slice/kubelet-kubepods.slice/kubelet-kubepods-pod" POD
         ".slice/cri-containerd-" OTHER ".scope",
         ID} /* kind */,
        {"0::/machine.slice/libpod-" ID ".scope/container/libpod-" OTHER ".scope", ID},
        {"0::/../cri-containerd-" ID ".scope/x/docker-" OTHER ".scope", ID},
        {"0::/system.slice/tomcat.service/docker-" OTHER ".scope", ""}, {"0::/system.slice/tomcat.service/" OTHER, ""},
        {"0::/system.slice/tomcat.service/docker.service/" OTHER, ""},
        {"0::/system.slice/tomcat.service/docker/" OTHER, ""},
        {"0::/system.slice/tomcat.service/x/libpod-payload-" OTHER, ""},
        {"0::/user.slice/user-1000.slice/session-2.scope/docker-" OTHER ".scope", ""}, {"0::/init.scope/" OTHER, ""},
        {"0::/machine.slice/systemd-nspawn@a.service/payload/docker-" OTHER ".scope", ""},
        {"0::/machine.slice/systemd-nspawn@a.service/libpod-payload-" OTHER, ""},
        {"0::/lxc.payload.a/system.slice/docker-" OTHER ".scope", ""}, {"0::/lxc/a/docker/" OTHER, ""},
        {"0::/machine/lxc-1-a.libvirt-lxc/docker/" OTHER, ""}, {"0::/../tomcat.service/docker-" OTHER ".scope", ""});
}

static void what_a_user_says_is_marked_as_such(void)
{
    CHECK_CONTAINERS(
        {"0::" MY "/user.slice/libpod-" ID ".scope/container", ID, true},
        {"0::" MY "/user.slice/docker-" ID ".scope", ID, true},
        {"0::" MY "/app.slice/docker.service/docker/" ID, ID, true},
        {"0::" MY "/app.slice/web.service/libpod-payload-" ID, ID, true}, {"0::" MY "/" ID, ID, true},
        {"0::/../user@1000.service/x/" ID "/" OTHER, ID, true},
        {"0::/system.slice/web.service/libpod-payload-" ID, ID, true},
        {"4:pids:" MY "/docker-" OTHER ".scope\n1:name=systemd:/docker/" ID "\n", ID},
        {"4:pids:" MY "/docker-" OTHER ".scope\n1:name=systemd:" MY "/docker-" ID ".scope\n", OTHER, true});
}

#define MOUNT(root, point) "700 650 8:1 " root " " point " rw,relatime - ext4 /dev/sda1 rw\n"

static void mounts_of_a_runtime_name_the_container(void)
{
    static const struct {
        const char *mountinfo, *id;
    } cases[] = {
        {MOUNT("/x", "/y") MOUNT("/var/lib/docker/containers/" ID "/hostname", "/etc/hostname"), ID},
        {MOUNT("/docker/containers/" ID "/resolv.conf", "/etc/resolv.conf") /* /var/lib is a file system */, ID},
        {MOUNT("/containers/storage/overlay-containers/" ID "/userdata/hosts", "/etc/hosts"), ID},
        {MOUNT("/var/lib/docker/containers/" ID "/mounts/shm", "/dev/shm") /* of the host */, ""},
        {MOUNT("/srv/" ID "/hostname", "/etc/hostname"), ""},
        {MOUNT("/var/lib/docker/containers/" ID "0/hostname", "/etc/hostname"), ""},
        {MOUNT("/var/lib/kubelet/pods/6c3f/etc-hosts", "/etc/hosts"), ""},
        {"700 650 8:1 /var/lib/docker/containers/" ID, ""},
        {"", ""},
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        const struct str got = procfs_mounted_container(str_of(cases[i].mountinfo));
        if (!str_is(got, cases[i].id))
            FAIL_("%s: \"%.*s\", want \"%s\"", cases[i].mountinfo, STR_ARG(got), cases[i].id);
    }
    CHECK(procfs_cgroup_is_root(STR("0::/\n")));
    CHECK(procfs_cgroup_is_root(STR("9:name=systemd:/\n8:pids:/\n0::/\n")));
    CHECK(!procfs_cgroup_is_root(STR("9:name=systemd:/\n8:pids:/a\n0::/\n")));
    CHECK(!procfs_cgroup_is_root(STR("0::/../" ID)));
    CHECK(!procfs_cgroup_is_root(STR("")));
}

static void check_unit(const char *cgroup, const char *unit, const char *machine)
{
    char name[PROCFS_MACHINE_MAX] = "";
    const struct str got = procfs_unit(str_of(cgroup));
    const bool is_machine = procfs_machine(str_of(cgroup), name);
    if (!str_is(got, unit) || strcmp(name, machine) != 0 || is_machine != (*machine != '\0'))
        FAIL_("%s: unit \"%.*s\", machine \"%s\", want \"%s\" and \"%s\"", cgroup, STR_ARG(got), name, unit, machine);
}

static void a_unit_is_what_the_system_made(void)
{
    check_unit("0::/system.slice/tomcat.service\n", "tomcat.service", "");
    check_unit("0::/system.slice/system-app.slice/app@8080.service", "app@8080.service", "");
    check_unit("0::/system.slice/tomcat.service/other.service", "tomcat.service", "");
    check_unit("0::/user.slice/user-1000.slice/session-2.scope", "session-2.scope", "");
    check_unit("0::" MY "/app.slice/web.service", "user@1000.service", "");
    check_unit("12:pids:/x\n1:name=systemd:/system.slice/a.service\n0::/system.slice/b.service", "a.service", "");
    check_unit("0::/system.slice/docker-" ID ".scope", "", "");
    check_unit("0::/docker/" ID "/system.slice/tomcat.service", "", "");
    check_unit("0::/", "", "");
    check_unit("", "", "");
}

static void a_machine_is_named_as_it_was_registered(void)
{
    check_unit("0::/machine.slice/systemd-nspawn@web.service/payload/system.slice/x.service",
               "systemd-nspawn@web.service", "web");
    check_unit("0::/machine.slice/systemd-nspawn@my\\x2dweb.service", "systemd-nspawn@my\\x2dweb.service", "my-web");
    check_unit("0::/machine.slice/machine-shop.scope", "machine-shop.scope", "shop");
    check_unit("0::/machine.slice/machine-.scope", "machine-.scope", "");
    check_unit("0::/system.slice/a.service/machine.slice/machine-shop.scope", "a.service", "");
    check_unit("0::/machine.slice", "", "");
}

int main(void)
{
    RUN(mounts_of_a_runtime_name_the_container);
    RUN(a_unit_is_what_the_system_made);
    RUN(a_machine_is_named_as_it_was_registered);
    RUN(reads_its_own_stat);
    RUN(a_hostile_name_does_not_shift_the_fields);
    RUN(refuses_what_is_no_stat_line);
    RUN(a_process_that_is_gone_is_named);
    RUN(lists_all_processes_in_order);
    RUN(a_process_that_does_not_run_uses_no_cpu_time);
    RUN(a_new_process_changes_the_fingerprint);
    RUN(a_replaced_executable_keeps_its_name);
    RUN(a_long_file_is_cut_at_the_buffer_s_end);
    RUN(reads_large_user_ids);
    RUN(sees_every_mapped_file);
    RUN(finds_container_ids_in_all_their_forms);
    RUN(what_is_no_container_has_no_id);
    RUN(a_name_made_further_in_does_not_count);
    RUN(what_a_user_says_is_marked_as_such);
    return REPORT();
}
