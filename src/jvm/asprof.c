#include "jvm/asprof.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <time.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "os/fsutil.h"
#include "os/rootfs.h"

#define LIBRARY  "libasyncProfiler.so"
#define LAUNCHER "asprof"
#define ASIDE    ".new-"

enum { DIR_MODE = 0755, LIBRARY_MODE = 0755, LAUNCHER_MODE = 0755, OTHERS_WRITE = 022, ASIDE_AGE_S = 600 };

/* embedded.S */
extern const uint8_t asprof_library_start[], asprof_library_end[], asprof_launcher_start[], asprof_launcher_end[];
extern const char asprof_library_sha1[SHA1_HEX_SIZE]; /* made by the build: a third of a start's CPU time otherwise */

static int map_file(const char *dist, const char *part, struct asprof_file *ret, struct err *err)
{
    char path[ASPROF_PATH_SIZE];
    if ((size_t)snprintf(path, sizeof path, "%s/%s", dist, part) >= sizeof path)
        return err_set(err, -ENAMETOOLONG, "dist: %s is too long", dist);
    struct stat st;
    cleanup_close int fd = open(path, O_RDONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
    if (fd < 0)
        return err_errno(err, "dist: open %s", path);
    if (fstat(fd, &st) < 0 || !S_ISREG(st.st_mode) || st.st_size == 0 || st.st_size > ASPROF_FILE_MAX)
        return err_set(err, -EINVAL, "dist: %s is no regular file of 1 to %d bytes", path, ASPROF_FILE_MAX);
    void *p = mmap(NULL, (size_t)st.st_size, PROT_READ, MAP_PRIVATE, fd, 0);
    if (p == MAP_FAILED)
        return err_errno(err, "dist: map %s", path);
    *ret = (struct asprof_file){p, (size_t)st.st_size};
    return 0;
}

int asprof_dist_open(const char *dist, struct asprof_dist *ret, struct err *err)
{
    cleanup_dist struct asprof_dist d = {.mapped = dist[0] != '\0'};
    int code = 0;
    if (d.mapped) {
        code = map_file(dist, "lib/" LIBRARY, &d.library, err);
        if (code == 0)
            code = map_file(dist, "bin/" LAUNCHER, &d.launcher, err);
        if (code == 0)
            sha1_hex(d.library.p, d.library.n, d.sha1);
    } else {
        d.library = (struct asprof_file){asprof_library_start, (size_t)(asprof_library_end - asprof_library_start)};
        d.launcher = (struct asprof_file){asprof_launcher_start, (size_t)(asprof_launcher_end - asprof_launcher_start)};
        memcpy(d.sha1, asprof_library_sha1, sizeof d.sha1);
    }
    if (code < 0)
        return code;
    *ret = d;
    d = (struct asprof_dist){0};
    return 0;
}

void asprof_dist_done(struct asprof_dist *d)
{
    if (d->mapped && d->library.p)
        munmap((void *)d->library.p, d->library.n);
    if (d->mapped && d->launcher.p)
        munmap((void *)d->launcher.p, d->launcher.n);
    *d = (struct asprof_dist){0};
}

/* Ours alone, and not for others to write. */
static int check_owner(const struct stat *st, const char *what, const struct rootfs_owner *owner, struct err *err)
{
    if (!rootfs_is_ours(st, owner))
        return err_set(err, -EPERM, "%s belongs to user %u, not to %u", what, (unsigned)st->st_uid,
                       (unsigned)geteuid());
    if (st->st_mode & OTHERS_WRITE)
        return err_set(err, -EPERM, "%s has mode %04o: others may write it", what, st->st_mode & 07777u);
    return 0;
}

/* The directory `name` in `parent`, made if need be. */
static int enter(int parent, const char *name, const struct rootfs_owner *owner, struct err *err)
{
    int code = rootfs_make_dir(parent, name, DIR_MODE, owner);
    if (code < 0 && code != -EEXIST)
        return err_set(err, code, "create directory %s: %s", name, strerror(-code));
    cleanup_close int fd = openat(parent, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    if (fd < 0)
        return errno == ENOTDIR || errno == ELOOP
                   ? err_set(err, -ENOTDIR, "%s is a symbolic link or no directory", name)
                   : err_errno(err, "open directory %s", name);
    struct stat st;
    if (fstat(fd, &st) < 0)
        return err_errno(err, "look at %s", name);
    code = check_owner(&st, name, owner, err);
    if (code < 0)
        return code;
    /* Whatever the umask left of it. */
    if ((st.st_mode & 07777) != DIR_MODE && fchmod(fd, DIR_MODE) < 0)
        return err_errno(err, "set the mode of %s", name);
    return TAKE_FD(fd);
}

static bool holds(int fd, const struct asprof_file *f, const struct stat *st)
{
    if ((uint64_t)st->st_size != f->n)
        return false;
    uint8_t chunk[16 << 10];
    for (size_t at = 0; at < f->n;) {
        ssize_t n = pread(fd, chunk, sizeof chunk, (off_t)at);
        if (n <= 0 || (size_t)n > f->n - at || memcmp(chunk, f->p + at, (size_t)n) != 0)
            return false;
        at += (size_t)n;
    }
    return true;
}

/* Removes what writers that were killed left behind. */
static void sweep_aside(int dir)
{
    int fd = fs_reopen(dir, O_RDONLY | O_DIRECTORY);
    cleanup_closedir DIR *entries = fd < 0 ? NULL : fdopendir(fd);
    struct dirent *entry;
    struct stat st;
    while (entries && (entry = readdir(entries)))
        if (strncmp(entry->d_name, ASIDE, strlen(ASIDE)) == 0 &&
            fstatat(dir, entry->d_name, &st, AT_SYMLINK_NOFOLLOW) == 0 && st.st_mtime < time(NULL) - ASIDE_AGE_S)
            unlinkat(dir, entry->d_name, 0);
}

static int write_aside(int dir, const char *aside, const struct asprof_file *f, mode_t mode,
                       const struct rootfs_owner *owner, struct err *err)
{
    cleanup_close int fd = rootfs_make_file(dir, aside, owner);
    if (fd < 0)
        return err_set(err, fd, "create: %s", strerror(-fd));
    int code = fs_write(fd, f->p, f->n);
    if (code == 0 && (fchmod(fd, mode) < 0 || fsync(fd) < 0))
        code = -errno;
    if (code < 0)
        return err_set(err, code, "write %zu bytes: %s", f->n, strerror(-code));
    return 0;
}

static int put(int dir, const char *name, const struct asprof_file *f, mode_t mode, const struct rootfs_owner *owner,
               struct err *err)
{
    struct stat st;
    if (fstatat(dir, name, &st, AT_SYMLINK_NOFOLLOW) == 0) {
        if (!S_ISREG(st.st_mode))
            return err_set(err, -EEXIST, "%s is in the way: no regular file", name);
        int code = check_owner(&st, name, owner, err);
        if (code < 0)
            return code;
        cleanup_close int fd = rootfs_file(dir, name, O_RDONLY, ASPROF_FILE_MAX, &st, err);
        if (fd >= 0 && holds(fd, f, &st) && ((st.st_mode & 07777) == mode || fchmod(fd, mode) == 0))
            return 0;
    }
    uint64_t random;
    char aside[32];
    if (getrandom(&random, sizeof random, 0) != sizeof random)
        return err_errno(err, "getrandom");
    snprintf(aside, sizeof aside, ASIDE "%016llx", (unsigned long long)random);
    sweep_aside(dir);
    int code = write_aside(dir, aside, f, mode, owner, err);
    if (code == 0 && (code = rootfs_rename(dir, aside, name, owner)) < 0)
        err_set(err, code, "rename: %s", strerror(-code));
    if (code < 0) {
        unlinkat(dir, aside, 0);
        return err_wrap(err, code, "%s", name);
    }
    return 0;
}

static int variant_name(const struct asprof_dist *d, enum jvm_libc libc, char *ret, size_t size)
{
    return snprintf(ret, size, "grafana-agent-asprof-%s-%s", libc == JVM_MUSL ? "musl" : "glibc", d->sha1);
}

static int put_in(int variant, const char *sub, const char *name, const struct asprof_file *f, mode_t mode,
                  const struct rootfs_owner *owner, struct err *err)
{
    cleanup_close int dir = enter(variant, sub, owner, err);
    if (dir < 0)
        return dir;
    int code = put(dir, name, f, mode, owner, err);
    return code < 0 ? err_wrap(err, code, "%s", sub) : 0;
}

/* What a person can do about it. */
static const char *remedy(int code)
{
    switch (code) {
    case -ENOSPC:
    case -EDQUOT:
        return " (free some megabytes there, or set tmp_dir to a directory with room)";
    case -EROFS:
        return " (mount something writable there, or set tmp_dir to a writable directory)";
    default:
        return "";
    }
}

/* As err_wrap(), with the remedy at the end. */
static int explain(struct err *err, int code, const char *whose, const char *tmp_dir)
{
    if (!err)
        return code;
    const struct err inner = *err;
    return err_set(err, code, "put the library into %s of the %s: %s%s", tmp_dir, whose, inner.text, remedy(code));
}

/* The host's tmp_dir: nobody but root may be able to exchange what lies in it, for root runs it. */
static int check_tmp_dir(int fd, const char *tmp_dir, struct err *err)
{
    struct stat st;
    if (fstat(fd, &st) < 0)
        return err_errno(err, "look at %s", tmp_dir);
    bool own = st.st_uid == geteuid() && !(st.st_mode & OTHERS_WRITE) && (st.st_mode & 05) == 05;
    bool sticky = st.st_uid == 0 && st.st_mode & S_ISVTX;
    if (own || sticky)
        return 0;
    return err_set(
        err, -EPERM,
        "tmp_dir %s must belong to user %u with mode 0755, or to root with the sticky bit set; it belongs to "
        "user %u with mode %04o",
        tmp_dir, (unsigned)geteuid(), (unsigned)st.st_uid, st.st_mode & 07777u);
}

int asprof_install(const struct asprof_dist *d, const char *tmp_dir, enum jvm_libc libc, char ret[ASPROF_PATH_SIZE],
                   struct err *err)
{
    char name[80];
    variant_name(d, libc, name, sizeof name);
    if (tmp_dir[0] != '/')
        return err_set(err, -EINVAL, "tmp_dir \"%s\" must be an absolute path", tmp_dir);
    if ((size_t)snprintf(ret, ASPROF_PATH_SIZE, "%s/%s", tmp_dir, name) >= ASPROF_PATH_SIZE)
        return err_set(err, -ENAMETOOLONG, "tmp_dir is too long");
    cleanup_close int parent = open(tmp_dir, O_PATH | O_DIRECTORY | O_CLOEXEC);
    if (parent < 0)
        return err_errno(err, "open tmp_dir %s", tmp_dir);
    int code = check_tmp_dir(parent, tmp_dir, err);
    if (code < 0)
        return code;
    const struct rootfs_owner self = {geteuid(), getegid()};
    cleanup_close int variant = enter(parent, name, &self, err);
    code = variant < 0 ? variant : put_in(variant, "lib", LIBRARY, &d->library, LIBRARY_MODE, &self, err);
    if (code == 0)
        code = put_in(variant, "bin", LAUNCHER, &d->launcher, LAUNCHER_MODE, &self, err);
    return code < 0 ? explain(err, code, "host", tmp_dir) : 0;
}

/* tmp_dir beneath a target's root, made where the target has none. The JVM's own user may own it: it would harm only itself. */
static int open_target_tmp(int root, const char *tmp_dir, const struct jvm_traits *t, struct err *err)
{
    char part[ASPROF_PATH_SIZE];
    for (const char *slash = tmp_dir; slash; slash = strchr(slash + 1, '/')) {
        const char *end = strchr(slash + 1, '/');
        size_t n = end ? (size_t)(end - tmp_dir) : strlen(tmp_dir);
        if (n == 0 || n >= sizeof part)
            continue;
        memcpy(part, tmp_dir, n);
        part[n] = '\0';
        cleanup_close int there = rootfs_dir(root, part, NULL);
        if (there >= 0 || end == slash + 1)
            continue;
        char *last = strrchr(part, '/');
        *last = '\0';
        cleanup_close int parent = rootfs_dir(root, part[0] ? part : "/", err);
        cleanup_close int made = parent < 0 ? -1 : enter(parent, last + 1, &t->owner, err);
        if (made < 0)
            return err && err->code ? err->code : -ENOENT;
    }
    cleanup_close int fd = rootfs_dir(root, tmp_dir, err);
    int code = fd < 0 ? fd : rootfs_guarded(root, fd, tmp_dir, t->euid, &t->owner, err);
    if (code < 0)
        return code;
    return TAKE_FD(fd);
}

int asprof_place(const struct asprof_dist *d, int root, const char *tmp_dir, const struct jvm_traits *t,
                 char ret[ASPROF_PATH_SIZE], struct err *err)
{
    char name[80];
    variant_name(d, t->libc, name, sizeof name);
    if (tmp_dir[0] != '/')
        return err_set(err, -EINVAL, "tmp_dir \"%s\" must be an absolute path", tmp_dir);
    char path[ASPROF_PATH_SIZE];
    if ((size_t)snprintf(path, sizeof path, "%s/%s/lib/" LIBRARY, tmp_dir, name) >= sizeof path)
        return err_set(err, -ENAMETOOLONG, "tmp_dir is too long");
    cleanup_close int parent = open_target_tmp(root, tmp_dir, t, err);
    struct statvfs fs;
    if (parent >= 0 && fstatvfs(parent, &fs) == 0 && fs.f_flag & ST_NOEXEC)
        return err_set(
            err, -EACCES,
            "%s of the target is mounted noexec: the JVM cannot load the library from there; set tmp_dir to a "
            "directory that is not",
            tmp_dir);
    cleanup_close int variant = parent < 0 ? parent : enter(parent, name, &t->owner, err);
    int code = variant < 0 ? variant : put_in(variant, "lib", LIBRARY, &d->library, LIBRARY_MODE, &t->owner, err);
    if (code < 0)
        return explain(err, code, "target", tmp_dir);
    memcpy(ret, path, sizeof path);
    return 0;
}
