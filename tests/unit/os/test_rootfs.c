/* Paths beneath a root that is a directory of this test, full of traps. */
#include "base/fd.h"
#include "os/rootfs.h"

#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <sched.h>
#include <stddef.h>
#include <stdlib.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "os/fsutil.h"
#include "test.h"

static char dir[] = "/tmp/smolder-rootfs-XXXXXX";
static int root;
static struct err err;

static void write_file(const char *name, const char *text)
{
    cleanup_close int fd = openat(root, name, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
    CHECK_INT(fd_write_all(fd, text, strlen(text)), 0);
}

static void a_file_is_read(void)
{
    cleanup_buf struct buf text = BUF_INIT(64);
    CHECK_INT(rootfs_read(root, "/etc/name", &text, &err), 0);
    CHECK_STR(buf_cstr(&text), "inside");
    CHECK(rootfs_read(root, "/etc/none", &text, &err) < 0);
    CHECK_HAS(err.text, "/etc/none: No such file");
}

static void links_resolve_beneath_the_root(void)
{
    static const char *const links[] = {"/up/name", "/abs/name", "/many/name"};
    for (size_t i = 0; i < ARRAY_LEN(links); i++) {
        cleanup_buf struct buf text = BUF_INIT(64);
        CHECK_INT(rootfs_read(root, links[i], &text, &err), 0);
        CHECK_STR(buf_cstr(&text), "inside");
    }
    cleanup_close int out = rootfs_dir(root, "/proc-self/root", &err);
    CHECK(out < 0);
    cleanup_close int loop = rootfs_dir(root, "/loop", &err);
    CHECK_INT(loop, -ELOOP);
}

static void only_regular_files_of_a_bounded_size_are_opened(void)
{
    const struct {
        const char *name, *part;
    } cases[] = {{"/link", "is a symbolic link"},
                 {"/fifo", "is a FIFO"},
                 {"/etc", "is a directory"},
                 {"/socket", "is a socket"},
                 {"/big", "is larger than 64 bytes"}};
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        cleanup_close int fd = rootfs_file(root, cases[i].name, O_RDONLY, 64, NULL, &err);
        CHECK(fd < 0);
        CHECK_HAS(err.text, cases[i].part);
    }
}

static void anything_can_be_looked_at(void)
{
    struct stat st;
    cleanup_close int fifo = rootfs_peek(root, "/fifo", &st, &err);
    CHECK(fifo >= 0 && S_ISFIFO(st.st_mode));
    cleanup_close int link = rootfs_peek(root, "/link", &st, &err);
    CHECK(link >= 0 && S_ISLNK(st.st_mode));
}

static void guarded_means_nobody_else_can_exchange_it(void)
{
    const struct {
        uid_t owner;
        mode_t mode;
        bool guarded;
    } cases[] = {{0, 0755, true}, {0, 01777, true}, {0, 0777, false}, {0, 0775, false},
                 {7, 0700, true}, {7, 01777, true}, {8, 0755, false}, {8, 01777, false}};
    for (size_t i = 0; i < ARRAY_LEN(cases) && geteuid() == 0; i++) {
        cleanup_close int fd = rootfs_dir(root, "/etc", &err);
        CHECK_INT(fchownat(root, "etc", cases[i].owner, 0, 0), 0);
        CHECK_INT(fchmodat(root, "etc", cases[i].mode, 0), 0);
        CHECK_INT(rootfs_guarded(root, fd, 7), cases[i].guarded);
        CHECK_INT(fchownat(root, "", 8, 0, AT_EMPTY_PATH), 0);
        CHECK_INT(rootfs_guarded(root, fd, 7), cases[i].guarded || (cases[i].owner == 8));
        CHECK_INT(fchownat(root, "", 0, 0, AT_EMPTY_PATH), 0);
    }
    CHECK_INT(fchmodat(root, "etc", 0755, 0), 0);
    CHECK_INT(fchownat(root, "etc", geteuid(), 0, 0), 0);
}

static void within_a_directory_no_link_is_followed_and_no_mount_crossed(void)
{
    struct stat st;
    cleanup_close int file = rootfs_file_in(root, "etc/name", O_RDONLY, 64, &st, &err);
    CHECK(file >= 0 && S_ISREG(st.st_mode));
    cleanup_close int link = rootfs_peek_in(root, "link", &st, &err);
    CHECK(link >= 0 && S_ISLNK(st.st_mode));
    CHECK_INT(rootfs_dir_in(root, "abs", &err), -ELOOP);
    CHECK_INT(rootfs_file_in(root, "abs/name", O_RDONLY, 64, NULL, &err), -ELOOP);
    CHECK_INT(rootfs_dir_in(root, "..", &err), -EXDEV);
    CHECK_INT(rootfs_dir_in(root, "/etc", &err), -EXDEV);
}

/* In mount namespaces of its own: neither a bind mount of the very same file system, nor another one, over the folder
 * or over a file. */
static void check_mounts(void)
{
    char target[64], source[64];
    struct stat st;
    snprintf(target, sizeof target, "%s/made", dir);
    snprintf(source, sizeof source, "%s/etc", dir);
    mkdir(target, 0755);
    if (unshare(CLONE_NEWNS) < 0 || mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) < 0)
        _exit(2);
    cleanup_close int again = open(dir, O_PATH | O_DIRECTORY | O_CLOEXEC);
    bool fine = rootfs_dir_in(again, "made", &err) >= 0;
    fine = fine && mount(source, target, NULL, MS_BIND, NULL) == 0 && rootfs_dir_in(again, "made", &err) == -EXDEV &&
           rootfs_peek_in(again, "made/name", &st, &err) == -EXDEV;
    fine = fine && mount("none", target, "tmpfs", 0, NULL) == 0 && rootfs_dir_in(again, "made", &err) == -EXDEV;
    snprintf(target, sizeof target, "%s/big", dir);
    snprintf(source, sizeof source, "%s/etc/name", dir);
    fine = fine && mount(source, target, NULL, MS_BIND, NULL) == 0 && rootfs_peek_in(again, "big", &st, &err) == -EXDEV;
    _exit(!fine);
}

static void a_bind_mount_is_a_mount(void)
{
    int status = 0;
    const pid_t pid = fork();
    if (pid == 0)
        check_mounts();
    waitpid(pid, &status, 0);
    if (WEXITSTATUS(status) == 2)
        SKIP(a_bind_mount_is_a_mount, "no mount namespaces here");
    else
        CHECK_INT(status, 0);
}

static void what_is_made_is_new(void)
{
    struct stat st;
    cleanup_close int fd = rootfs_make_file(root, "mine");
    CHECK(fd >= 0 && fstat(fd, &st) == 0 && st.st_uid == geteuid() && (st.st_mode & 07777) == 0600);
    CHECK_INT(rootfs_make_file(root, "mine"), -EEXIST);
    CHECK_INT(rootfs_make_file(root, "link"), -EEXIST);
}

static void local_file_systems_are_told_from_others(void)
{
    cleanup_close int proc = open("/proc", O_PATH | O_CLOEXEC), shm = open("/dev/shm", O_PATH | O_CLOEXEC);
    CHECK(!fs_is_local(proc));
    CHECK(!fs_is_local(-1));
    CHECK(shm < 0 || fs_is_local(shm));
}

/* What RestrictSUIDSGID= of systemd does. */
static bool forbid_openat2(void)
{
    static struct sock_filter code[] = {
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_openat2, 0, 1),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | ENOSYS),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
    };
    const struct sock_fprog program = {ARRAY_LEN(code), code};
    return prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0 && prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program) == 0;
}

static void a_missing_system_call_is_named(void)
{
    fflush(NULL);
    const pid_t pid = fork();
    if (pid == 0) {
        if (!forbid_openat2())
            _exit(2);
        cleanup_buf struct buf text = BUF_INIT(64);
        const int code = rootfs_read(root, "/etc/name", &text, &err);
        _exit(code != -ENOSYS || !strstr(err.text, "open /etc/name: the system call openat2 is not available"));
    }
    int status = 0;
    waitpid(pid, &status, 0);
    if (WEXITSTATUS(status) == 2)
        SKIP(a_missing_system_call_is_named, "no seccomp filters here");
    else
        CHECK_INT(status, 0);
}

static int remove_one(const char *path, const struct stat *st, int type, struct FTW *walk)
{
    (void)st, (void)type, (void)walk;
    return remove(path);
}

int main(void)
{
    struct sockaddr_un addr = {.sun_family = AF_UNIX};
    if (!mkdtemp(dir) || (root = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC)) < 0)
        return 1;
    mkdirat(root, "etc", 0755);
    write_file("etc/name", "inside");
    write_file("big", "0123456789012345678901234567890123456789012345678901234567890123456789");
    mkfifoat(root, "fifo", 0644);
    snprintf(addr.sun_path, sizeof addr.sun_path, "%s/socket", dir);
    cleanup_close int sock = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    int made = bind(sock, (struct sockaddr *)&addr, sizeof addr) | symlinkat("../../../../etc", root, "up") |
               symlinkat("/etc", root, "abs") | symlinkat("up/../abs/../up", root, "many") |
               symlinkat("/etc/name", root, "link") | symlinkat("/proc/self", root, "proc-self") |
               symlinkat("loop", root, "loop");
    if (made != 0)
        return 1;
    RUN(a_file_is_read);
    RUN(links_resolve_beneath_the_root);
    RUN(only_regular_files_of_a_bounded_size_are_opened);
    RUN(anything_can_be_looked_at);
    RUN(guarded_means_nobody_else_can_exchange_it);
    RUN(local_file_systems_are_told_from_others);
    RUN(within_a_directory_no_link_is_followed_and_no_mount_crossed);
    RUN(a_bind_mount_is_a_mount);
    RUN(what_is_made_is_new);
    RUN(a_missing_system_call_is_named);
    nftw(dir, remove_one, 16, FTW_DEPTH | FTW_PHYS);
    return REPORT();
}
