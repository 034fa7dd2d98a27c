/* Paths beneath a root that is a directory of this test, full of traps. */
#include "os/rootfs.h"

#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <sched.h>
#include <stdlib.h>
#include <sys/mount.h>
#include <sys/socket.h>
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
    CHECK_INT(fs_write(fd, text, strlen(text)), 0);
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
    const struct rootfs_owner self = {0, 0}, eight = {8, 8};
    for (size_t i = 0; i < ARRAY_LEN(cases) && geteuid() == 0; i++) {
        cleanup_close int fd = rootfs_dir(root, "/etc", &err);
        CHECK_INT(fchownat(root, "etc", cases[i].owner, 0, 0), 0);
        CHECK_INT(fchmodat(root, "etc", cases[i].mode, 0), 0);
        CHECK_INT(rootfs_guarded(root, fd, "/etc", 7, &self, &err) == 0, cases[i].guarded);
        CHECK_INT(rootfs_guarded(root, fd, "/etc", 7, &eight, NULL) == 0, cases[i].guarded || (cases[i].owner == 8));
        CHECK_INT(fchownat(root, "", 8, 0, AT_EMPTY_PATH), 0);
        CHECK_INT(rootfs_guarded(root, fd, "/etc", 7, &self, NULL) == 0, cases[i].guarded || (cases[i].owner == 8));
        CHECK_INT(fchownat(root, "", 0, 0, AT_EMPTY_PATH), 0);
    }
}

static void the_root_of_a_process_is_its_own(void)
{
    cleanup_pidref struct pidref p = PIDREF_INIT;
    struct stat a, b;
    CHECK_INT(pidref_open(getpid(), 0, &p, &err), 0);
    cleanup_close int fd = rootfs_open(&p, &err);
    CHECK(fd >= 0 && fstat(fd, &a) == 0 && stat("/", &b) == 0 && a.st_ino == b.st_ino && a.st_dev == b.st_dev);
}

static void local_file_systems_are_told_from_others(void)
{
    cleanup_close int proc = open("/proc", O_PATH | O_CLOEXEC), shm = open("/dev/shm", O_PATH | O_CLOEXEC);
    CHECK(!fs_is_local(proc));
    CHECK(!fs_is_local(-1));
    CHECK(shm < 0 || fs_is_local(shm));
}

static bool write_map(pid_t pid, const char *map, const char *text)
{
    char path[64];
    snprintf(path, sizeof path, "/proc/%d/%s", (int)pid, map);
    cleanup_close int fd = open(path, O_WRONLY | O_CLOEXEC);
    return fd >= 0 && write(fd, text, strlen(text)) == (ssize_t)strlen(text);
}

/* A process in a user namespace whose only user is our 1234, with a tmpfs of that namespace over /tmp. Its pid, or -1. */
static pid_t begin_in_user_namespace(int *stop)
{
    int up[2], mapped[2];
    char byte = 0;
    if (pipe2(up, O_CLOEXEC) < 0 || pipe2(mapped, O_CLOEXEC) < 0)
        return -1;
    pid_t pid = fork();
    if (pid == 0) {
        close(mapped[1]);
        bool fine = unshare(CLONE_NEWUSER | CLONE_NEWNS) == 0 && write(up[1], "u", 1) == 1 &&
                    read(mapped[0], &byte, 1) == 1 && setgid(0) == 0 && setuid(0) == 0 &&
                    mount("none", "/tmp", "tmpfs", 0, "mode=1777") == 0;
        if (fine && write(up[1], "m", 1) == 1)
            (void)!read(mapped[0], &byte, 1);
        _exit(0);
    }
    close(up[1]);
    close(mapped[0]);
    bool fine = read(up[0], &byte, 1) == 1 && write_map(pid, "uid_map", "0 1234 1") &&
                write_map(pid, "gid_map", "0 1235 1") && write(mapped[1], "x", 1) == 1 && read(up[0], &byte, 1) == 1;
    close(up[0]);
    *stop = mapped[1];
    if (fine)
        return pid;
    close(mapped[1]);
    waitpid(pid, NULL, 0);
    return -1;
}

static void check_owner(int tmp, const char *name, mode_t mode)
{
    struct stat st = {0};
    CHECK_INT(fstatat(tmp, name, &st, AT_SYMLINK_NOFOLLOW), 0);
    CHECK_INT(st.st_uid, 1234);
    CHECK_INT(st.st_gid, 1235);
    CHECK_INT(st.st_mode & 07777, mode);
}

static void what_is_made_in_a_user_namespaces_file_system_is_its_roots(void)
{
    const struct rootfs_owner its_root = {1234, 1235}, self = {geteuid(), getegid()};
    cleanup_close int stop = -1;
    pid_t pid = geteuid() == 0 ? begin_in_user_namespace(&stop) : -1;
    if (pid < 0) {
        SKIP(what_is_made_in_a_user_namespaces_file_system_is_its_roots, "no user namespaces here");
        return;
    }
    cleanup_pidref struct pidref p = PIDREF_INIT;
    CHECK_INT(pidref_open(pid, 0, &p, &err), 0);
    cleanup_close int its = rootfs_open(&p, &err);
    cleanup_close int tmp = rootfs_dir(its, "/tmp", &err);
    CHECK_INT(rootfs_make_dir(tmp, "dir", 0755, &self), -EOVERFLOW);
    CHECK_INT(rootfs_make_dir(tmp, "dir", 0755, &its_root), 0);
    CHECK_INT(rootfs_make_dir(tmp, "dir", 0755, &its_root), -EEXIST);
    cleanup_close int file = rootfs_make_file(tmp, "file", &its_root);
    CHECK(file >= 0);
    CHECK_INT(rootfs_make_file(tmp, "file", &its_root), -EEXIST);
    CHECK_INT(rootfs_rename(tmp, "file", "other", &its_root), 0);
    check_owner(tmp, "dir", 0755);
    check_owner(tmp, "other", 0600);
    CHECK_INT(fs_write(file, "text", 4), 0);
    /* What is made elsewhere afterwards is one's own again. */
    struct stat st;
    cleanup_close int mine = rootfs_make_file(root, "mine", &its_root);
    CHECK_INT(fstat(mine, &st), 0);
    CHECK(st.st_uid == 0 && st.st_gid == getegid() && rootfs_is_ours(&st, &self));
    close(TAKE_FD(stop));
    waitpid(pid, NULL, 0);
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
    RUN(the_root_of_a_process_is_its_own);
    RUN(local_file_systems_are_told_from_others);
    RUN(what_is_made_in_a_user_namespaces_file_system_is_its_roots);
    nftw(dir, remove_one, 16, FTW_DEPTH | FTW_PHYS);
    return REPORT();
}
