/* Paths beneath a root that is a directory of this test, full of traps. */
#include "os/rootfs.h"

#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/un.h>
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
    for (size_t i = 0; i < ARRAY_LEN(cases) && geteuid() == 0; i++) {
        cleanup_close int fd = rootfs_dir(root, "/etc", &err);
        CHECK_INT(fchownat(root, "etc", cases[i].owner, 0, 0), 0);
        CHECK_INT(fchmodat(root, "etc", cases[i].mode, 0), 0);
        CHECK_INT(rootfs_guarded(root, fd, "/etc", 7, &err) == 0, cases[i].guarded);
        CHECK_INT(fchownat(root, "", 8, 0, AT_EMPTY_PATH), 0); /* root of a user namespace */
        CHECK_INT(rootfs_guarded(root, fd, "/etc", 7, NULL) == 0, cases[i].guarded || (cases[i].owner == 8));
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
    nftw(dir, remove_one, 16, FTW_DEPTH | FTW_PHYS);
    return REPORT();
}
