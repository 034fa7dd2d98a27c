#include "os/rootfs.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <linux/securebits.h>
#include <sys/fsuid.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "os/fsutil.h"

/* Beneath `root`; a retry where a concurrent rename made the kernel give up. */
static int resolve(int root, const char *path, uint64_t flags)
{
    enum { TRIES = 8 };
    struct open_how how = {.flags = flags | O_CLOEXEC, .resolve = RESOLVE_IN_ROOT | RESOLVE_NO_MAGICLINKS};
    long fd = -1;
    for (int i = 0; i < TRIES; i++) {
        fd = syscall(SYS_openat2, root, path, &how, sizeof how);
        if (fd >= 0 || errno != EAGAIN)
            break;
    }
    return fd < 0 ? -errno : (int)fd;
}

int rootfs_open(const struct pidref *p, struct err *err)
{
    int fd = pidref_openat(p, "root", O_PATH | O_DIRECTORY);
    if (fd < 0)
        return err_set(err, fd, "open the root of process %d: %s", (int)p->pid, strerror(-fd));
    return fd;
}

int rootfs_dir(int root, const char *path, struct err *err)
{
    int fd = resolve(root, path, O_PATH | O_DIRECTORY);
    return fd < 0 ? err_set(err, fd, "open directory %s: %s", path, strerror(-fd)) : fd;
}

int rootfs_peek(int root, const char *path, struct stat *st, struct err *err)
{
    int fd = resolve(root, path, O_PATH | O_NOFOLLOW);
    if (fd < 0)
        return err_set(err, fd, "open %s: %s", path, strerror(-fd));
    if (fstat(fd, st) < 0) {
        int code = err_errno(err, "look at %s", path);
        close(fd);
        return code;
    }
    return fd;
}

int rootfs_guarded(int root, int dir, const char *path, uid_t uid, const struct rootfs_owner *owner, struct err *err)
{
    enum { OTHERS_WRITE = 022 };
    struct stat top, st;
    if (fstat(root, &top) < 0 || fstat(dir, &st) < 0)
        return err_errno(err, "look at %s", path);
    bool owned = st.st_uid == 0 || st.st_uid == uid || st.st_uid == owner->uid || st.st_uid == top.st_uid;
    if (owned && (!(st.st_mode & OTHERS_WRITE) || st.st_mode & S_ISVTX))
        return 0;
    return err_set(err, -EPERM, "%s has the owner %u and mode %04o: others could exchange what is put there", path,
                   (unsigned)st.st_uid, st.st_mode & 07777u);
}

bool rootfs_is_ours(const struct stat *st, const struct rootfs_owner *owner)
{
    return st->st_uid == geteuid() || st->st_uid == owner->uid;
}

/* Capabilities stay; only what is made is the owner's. */
static bool act_as(const struct rootfs_owner *owner)
{
    if (prctl(PR_SET_SECUREBITS, SECBIT_NO_SETUID_FIXUP) < 0)
        return false;
    setfsgid(owner->gid);
    setfsuid(owner->uid);
    return true;
}

static void act_as_oneself(void)
{
    setfsuid(geteuid());
    setfsgid(getegid());
}

enum making { MAKE_DIR, MAKE_FILE, RENAME };

static int make(enum making what, int dir, const char *name, const char *to, mode_t mode)
{
    int code = what == MAKE_DIR ? mkdirat(dir, name, mode)
               : what == RENAME ? renameat(dir, name, dir, to)
                                : openat(dir, name, O_CREAT | O_EXCL | O_NOFOLLOW | O_RDWR | O_CLOEXEC, mode);
    return code < 0 ? -errno : code;
}

static int make_as(enum making what, int dir, const char *name, const char *to, mode_t mode,
                   const struct rootfs_owner *owner)
{
    int code = make(what, dir, name, to, mode);
    if (code != -EOVERFLOW || !act_as(owner))
        return code;
    code = make(what, dir, name, to, mode);
    act_as_oneself();
    return code;
}

int rootfs_make_dir(int parent, const char *name, mode_t mode, const struct rootfs_owner *owner)
{
    return make_as(MAKE_DIR, parent, name, NULL, mode, owner);
}

int rootfs_make_file(int parent, const char *name, const struct rootfs_owner *owner)
{
    return make_as(MAKE_FILE, parent, name, NULL, 0600, owner);
}

int rootfs_rename(int dir, const char *from, const char *to, const struct rootfs_owner *owner)
{
    return make_as(RENAME, dir, from, to, 0, owner);
}

static const char *kind_of(mode_t mode)
{
    return S_ISLNK(mode)    ? "a symbolic link"
           : S_ISFIFO(mode) ? "a FIFO"
           : S_ISDIR(mode)  ? "a directory"
           : S_ISSOCK(mode) ? "a socket"
                            : "a device";
}

int rootfs_file(int root, const char *path, int flags, uint64_t max, struct stat *st, struct err *err)
{
    struct stat found;
    cleanup_close int peek = rootfs_peek(root, path, &found, err);
    if (peek < 0)
        return peek;
    if (!S_ISREG(found.st_mode))
        return err_set(err, -EINVAL, "%s is %s, not a regular file", path, kind_of(found.st_mode));
    if ((uint64_t)found.st_size > max)
        return err_set(err, -EFBIG, "%s is larger than %llu bytes", path, (unsigned long long)max);
    int fd = fs_reopen(peek, flags | O_NONBLOCK | O_NOCTTY);
    if (fd < 0)
        return err_set(err, fd, "open %s: %s", path, strerror(-fd));
    if (st)
        *st = found;
    return fd;
}

int rootfs_read(int root, const char *path, struct buf *out, struct err *err)
{
    cleanup_close int fd = rootfs_file(root, path, O_RDONLY, out->max - out->len, NULL, err);
    if (fd < 0)
        return fd;
    int code = fs_read(fd, out, NULL);
    return code < 0 ? err_set(err, code, "read %s: %s", path, strerror(-code)) : 0;
}
