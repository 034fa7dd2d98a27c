#include "os/rootfs.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "os/fsutil.h"

static const uint64_t BENEATH_ROOT = RESOLVE_IN_ROOT | RESOLVE_NO_MAGICLINKS,
                      IN_DIRECTORY = RESOLVE_BENEATH | RESOLVE_NO_XDEV | RESOLVE_NO_SYMLINKS | RESOLVE_NO_MAGICLINKS;

/* A retry where a concurrent rename made the kernel give up. */
static int rootfs_resolve(int from, const char *path, uint64_t flags, uint64_t how_far)
{
    enum { TRIES = 8 };
    struct open_how how = {.flags = flags | O_CLOEXEC, .resolve = how_far};
    long fd = -1;
    for (int i = 0; i < TRIES; i++) {
        fd = syscall(SYS_openat2, from, path, &how, sizeof how);
        if (fd >= 0 || errno != EAGAIN)
            break;
    }
    return fd < 0 ? -errno : (int)fd;
}

/* "Function not implemented" would be taken for the target's fault. */
static const char *rootfs_why(int code)
{
    return code == -ENOSYS ? "the system call openat2 is not available" : strerror(-code);
}

static int rootfs_open_dir(int from, const char *path, uint64_t how_far, struct err *err)
{
    int fd = rootfs_resolve(from, path, O_PATH | O_DIRECTORY, how_far);
    return fd < 0 ? err_set(err, fd, "open directory %s: %s", path, rootfs_why(fd)) : fd;
}

static int rootfs_stat(int from, const char *path, struct stat *st, uint64_t how_far, struct err *err)
{
    int fd = rootfs_resolve(from, path, O_PATH | O_NOFOLLOW, how_far);
    if (fd < 0)
        return err_set(err, fd, "open %s: %s", path, rootfs_why(fd));
    if (fstat(fd, st) < 0) {
        int code = err_errno(err, "stat %s", path);
        close(fd);
        return code;
    }
    return fd;
}

static const char *kind_of(mode_t mode)
{
    return S_ISLNK(mode)    ? "a symbolic link"
           : S_ISFIFO(mode) ? "a FIFO"
           : S_ISDIR(mode)  ? "a directory"
           : S_ISSOCK(mode) ? "a socket"
                            : "a device";
}

static int rootfs_open_file(int from, const char *path, int flags, uint64_t max, struct stat *st, uint64_t how_far,
                            struct err *err)
{
    struct stat found;
    cleanup_close int there = rootfs_stat(from, path, &found, how_far, err);
    if (there < 0)
        return there;
    if (!S_ISREG(found.st_mode))
        return err_set(err, -EINVAL, "%s is %s, not a regular file", path, kind_of(found.st_mode));
    if ((uint64_t)found.st_size > max)
        return err_set(err, -EFBIG, "%s is larger than %llu bytes", path, (unsigned long long)max);
    int fd = fs_reopen(there, flags | O_NONBLOCK | O_NOCTTY);
    if (fd < 0)
        return err_set(err, fd, "open %s: %s", path, strerror(-fd));
    if (st)
        *st = found;
    return fd;
}

int rootfs_dir(int root, const char *path, struct err *err)
{
    return rootfs_open_dir(root, path, BENEATH_ROOT, err);
}

int rootfs_peek(int root, const char *path, struct stat *st, struct err *err)
{
    return rootfs_stat(root, path, st, BENEATH_ROOT, err);
}

int rootfs_file(int root, const char *path, int flags, uint64_t max, struct stat *st, struct err *err)
{
    return rootfs_open_file(root, path, flags, max, st, BENEATH_ROOT, err);
}

int rootfs_read(int root, const char *path, struct buf *out, struct err *err)
{
    cleanup_close int fd = rootfs_file(root, path, O_RDONLY, out->max - out->len, NULL, err);
    if (fd < 0)
        return fd;
    int code = fs_read(fd, out, NULL);
    return code < 0 ? err_set(err, code, "read %s: %s", path, strerror(-code)) : 0;
}

int rootfs_dir_in(int from, const char *path, struct err *err)
{
    return rootfs_open_dir(from, path, IN_DIRECTORY, err);
}

int rootfs_peek_in(int from, const char *path, struct stat *st, struct err *err)
{
    return rootfs_stat(from, path, st, IN_DIRECTORY, err);
}

int rootfs_file_in(int from, const char *path, int flags, uint64_t max, struct stat *st, struct err *err)
{
    return rootfs_open_file(from, path, flags, max, st, IN_DIRECTORY, err);
}

int rootfs_make_file(int from, const char *name)
{
    int fd = openat(from, name, O_CREAT | O_EXCL | O_NOFOLLOW | O_RDWR | O_CLOEXEC, 0600);
    return fd < 0 ? -errno : fd;
}

bool rootfs_guarded(int root, int directory, uid_t uid)
{
    enum { OTHERS_WRITE = 022 };
    struct stat top, st;
    if (fstat(root, &top) < 0 || fstat(directory, &st) < 0)
        return false;
    const bool owned = st.st_uid == 0 || st.st_uid == uid || st.st_uid == top.st_uid;
    return owned && (!(st.st_mode & OTHERS_WRITE) || st.st_mode & S_ISVTX);
}
