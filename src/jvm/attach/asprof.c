#include "jvm/attach/asprof.h"

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
#include "base/fd.h"
#include "jvm/probe/elf_kind.h"
#include "os/fsutil.h"
#include "os/rootfs.h"

#define LIBRARY  "libasyncProfiler.so"
#define LAUNCHER "asprof"
#define ASIDE    ".new-"

enum { PUBLIC_DIR = 0755, OWN_DIR = 0700, FILE_MODE = 0755, OTHERS_WRITE = 022, ASIDE_AGE_S = 600 };
enum { NAME_SIZE = 128, ENTRIES_MAX = 4096 };

/* embedded.S */
extern const uint8_t asprof_library_start[], asprof_library_end[], asprof_launcher_start[], asprof_launcher_end[];
extern const uint8_t asprof_other_library_start[], asprof_other_library_end[]; /* for the other machine */
extern const char asprof_other_library_sha1[SHA1_HEX_SIZE];
extern const char asprof_library_sha1[SHA1_HEX_SIZE]; /* made by the build: a third of a start's CPU time otherwise */

/* Root's or this user's, and not for others to write: nobody who has less to say can exchange it. */
static int check_owner(const struct stat *st, const char *what, struct err *err)
{
    if (st->st_uid != 0 && st->st_uid != geteuid())
        return err_set(err, -EPERM, "%s belongs to user %u", what, (unsigned)st->st_uid);
    if (st->st_mode & OTHERS_WRITE)
        return err_set(err, -EPERM, "%s has mode %04o: writable by others", what, st->st_mode & 07777u);
    return 0;
}

/* A directory that nobody but root and this user decides about; `path` is for messages. */
static int dist_enter(int parent, const char *name, const char *path, struct err *err)
{
    struct stat st;
    cleanup_close int fd =
        openat(parent, name, O_PATH | O_DIRECTORY | O_CLOEXEC | (parent == AT_FDCWD ? 0 : O_NOFOLLOW));
    if (fd < 0 || fstat(fd, &st) < 0)
        return err_errno(err, "dist: open %s", path);
    const int code = check_owner(&st, name, err);
    return code < 0 ? err_wrap(err, code, "dist") : TAKE_FD(fd);
}

/* A path that the main process sends, of a file that JVMs of others load: it has to be as good as the embedded one. */
static int map_file(const char *dist, const char *folder, const char *name, struct asprof_file *ret, struct err *err)
{
    char path[ASPROF_PATH_SIZE];
    if ((size_t)snprintf(path, sizeof path, "%s/%s/%s", dist, folder, name) >= sizeof path)
        return err_set(err, -ENAMETOOLONG, "dist: %s is too long", dist);
    struct stat st;
    cleanup_close int top = dist_enter(AT_FDCWD, dist, path, err);
    if (top < 0)
        return top;
    cleanup_close int dir = dist_enter(top, folder, path, err);
    if (dir < 0)
        return dir;
    cleanup_close int fd = openat(dir, name, O_RDONLY | O_NONBLOCK | O_NOCTTY | O_NOFOLLOW | O_CLOEXEC);
    if (fd < 0)
        return err_errno(err, "dist: open %s", path);
    if (fstat(fd, &st) < 0 || !S_ISREG(st.st_mode) || st.st_size == 0 || st.st_size > ASPROF_FILE_MAX)
        return err_set(err, -EINVAL, "dist: %s is not a regular file of 1 to %d bytes", path, ASPROF_FILE_MAX);
    const int code = check_owner(&st, path, err);
    if (code < 0)
        return err_wrap(err, code, "dist");
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
        code = map_file(dist, "lib", LIBRARY, &d.library, err);
        if (code == 0)
            code = map_file(dist, "bin", LAUNCHER, &d.launcher, err);
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

void asprof_dist_choose(struct asprof_dist *d, unsigned machine)
{
    struct elf_kind other;
    const size_t n = (size_t)(asprof_other_library_end - asprof_other_library_start);
    if (d->mapped || elf_kind_of(asprof_other_library_start, n, &other) < 0 || other.machine != machine)
        return;
    d->library = (struct asprof_file){asprof_other_library_start, n};
    memcpy(d->sha1, asprof_other_library_sha1, sizeof d->sha1);
}

void asprof_dist_done(struct asprof_dist *d)
{
    if (d->mapped && d->library.p)
        munmap((void *)d->library.p, d->library.n);
    if (d->mapped && d->launcher.p)
        munmap((void *)d->launcher.p, d->launcher.n);
    *d = (struct asprof_dist){0};
}

/* The directory `name` in `parent`, if it can be trusted. */
static int asprof_enter(int parent, const char *name, struct err *err)
{
    cleanup_close int fd = rootfs_dir_in(parent, name, err);
    struct stat st;
    if (fd < 0)
        return fd == -ENOTDIR || fd == -ELOOP ? err_set(err, -ENOTDIR, "%s is a symbolic link or not a directory", name)
               : fd == -EXDEV                 ? err_set(err, fd, "%s is a mount point", name)
                                              : fd;
    if (fstat(fd, &st) < 0)
        return err_errno(err, "stat %s", name);
    int code = check_owner(&st, name, err);
    return code < 0 ? code : TAKE_FD(fd);
}

/* As that, of this user, made if need be. */
static int asprof_make(int parent, const char *name, mode_t mode, struct err *err)
{
    if (mkdirat(parent, name, mode) < 0 && errno != EEXIST)
        return err_errno(err, "create directory %s", name);
    cleanup_close int fd = asprof_enter(parent, name, err);
    struct stat st;
    if (fd < 0)
        return fd;
    if (fstat(fd, &st) < 0 || st.st_uid != geteuid())
        return err_set(err, -EPERM, "%s belongs to user %u", name, (unsigned)st.st_uid);
    if ((st.st_mode & mode) == mode)
        return TAKE_FD(fd);
    /* The umask left less of it than is promised. */
    cleanup_close int open_dir = fs_reopen(fd, O_RDONLY | O_DIRECTORY);
    if (open_dir < 0 || fchmod(open_dir, mode) < 0)
        return err_errno(err, "set the mode of %s", name);
    return TAKE_FD(fd);
}

static bool asprof_holds(int fd, const struct asprof_file *f, const struct stat *st)
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

/* 1 when `name` in `dir` is the file as it should be; 0 when it is to be written; -EEXIST when something else is in the
 * way. */
static int check_file(int dir, const char *name, const struct asprof_file *f, ino_t *inode, struct err *err)
{
    struct stat st;
    cleanup_close int there = rootfs_peek_in(dir, name, &st, err);
    if (there == -ENOENT)
        return 0;
    if (there < 0)
        return there;
    if (!S_ISREG(st.st_mode))
        return err_set(err, -EEXIST, "%s exists and is not a regular file", name);
    int code = check_owner(&st, name, err);
    if (code < 0)
        return code;
    cleanup_close int fd = fs_reopen(there, O_RDONLY | O_NONBLOCK | O_NOCTTY);
    if (fd < 0 || (st.st_mode & FILE_MODE & 0500) != (FILE_MODE & 0500) || !asprof_holds(fd, f, &st))
        return 0;
    *inode = st.st_ino;
    return 1;
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

static int write_aside(int dir, const char *aside, const struct asprof_file *f, struct err *err)
{
    cleanup_close int fd = rootfs_make_file(dir, aside);
    if (fd < 0)
        return err_set(err, fd, "create: %s", strerror(-fd));
    int code = fd_write_all(fd, f->p, f->n);
    if (code == 0 && (fchmod(fd, FILE_MODE) < 0 || fsync(fd) < 0))
        code = -errno;
    if (code < 0)
        return err_set(err, code, "write %zu bytes: %s", f->n, strerror(-code));
    return 0;
}

static int random_hex(char ret[17], struct err *err)
{
    uint64_t random;
    if (getrandom(&random, sizeof random, 0) != sizeof random)
        return err_errno(err, "getrandom");
    snprintf(ret, 17, "%016llx", (unsigned long long)random);
    return 0;
}

static int write_file(int dir, const char *name, const struct asprof_file *f, struct err *err)
{
    char aside[32], hex[17];
    int code = random_hex(hex, err);
    if (code < 0)
        return code;
    snprintf(aside, sizeof aside, ASIDE "%s", hex);
    sweep_aside(dir);
    code = write_aside(dir, aside, f, err);
    if (code == 0 && renameat(dir, aside, dir, name) < 0)
        code = err_errno(err, "rename");
    if (code < 0) {
        unlinkat(dir, aside, 0);
        return err_wrap(err, code, "%s", name);
    }
    return 0;
}

/* The file as it should be, by a look at what is there in the end. */
static int asprof_put(int dir, const char *name, const struct asprof_file *f, ino_t *inode, struct err *err)
{
    int code = check_file(dir, name, f, inode, err);
    if (code != 0)
        return code < 0 ? code : 0;
    code = write_file(dir, name, f, err);
    if (code == 0)
        code = check_file(dir, name, f, inode, err);
    return code == 0 ? err_set(err, -EAGAIN, "%s was modified while it was written", name) : code < 0 ? code : 0;
}

static int put_in(int variant, const char *sub, const char *name, const struct asprof_file *f, mode_t mode,
                  ino_t *inode, struct err *err)
{
    cleanup_close int dir = asprof_make(variant, sub, mode, err);
    if (dir < 0)
        return dir;
    int code = asprof_put(dir, name, f, inode, err);
    return code < 0 ? err_wrap(err, code, "%s", sub) : 0;
}

/* Where one copy goes, and in which of the two ways. */
struct spot {
    const struct asprof_dist *d;
    int parent;
    bool own; /* the target's: only the library, for its user alone */
};

/* A copy under this name that is as it should be already, whoever's. */
static bool is_there(const struct spot *s, const char *name, ino_t *inode)
{
    cleanup_close int variant = asprof_enter(s->parent, name, NULL);
    cleanup_close int lib = variant < 0 ? -1 : asprof_enter(variant, "lib", NULL);
    return lib >= 0 && check_file(lib, LIBRARY, &s->d->library, inode, NULL) == 1;
}

static int lay_out(const struct spot *s, const char *name, ino_t *inode, struct err *err)
{
    const mode_t mode = s->own ? OWN_DIR : PUBLIC_DIR;
    ino_t launcher;
    if (s->own && is_there(s, name, inode))
        return 0;
    cleanup_close int variant = asprof_make(s->parent, name, mode, err);
    if (variant < 0)
        return variant;
    int code = put_in(variant, "lib", LIBRARY, &s->d->library, mode, inode, err);
    return code < 0 || s->own ? code : put_in(variant, "bin", LAUNCHER, &s->d->launcher, mode, &launcher, err);
}

/* Somebody else has the name, in one way or another; the next one may be free. */
static bool is_taken(int code)
{
    return code == -EPERM || code == -EEXIST || code == -ENOTDIR || code == -ELOOP || code == -EXDEV ||
           code == -EISDIR || code == -ENOTEMPTY || code == -EACCES;
}

/* One that was made because the better names were taken then. */
static bool find_random(const struct spot *s, const char *base, char ret[NAME_SIZE], ino_t *inode)
{
    int fd = fs_reopen(s->parent, O_RDONLY | O_DIRECTORY | O_NONBLOCK);
    cleanup_closedir DIR *entries = fd < 0 ? NULL : fdopendir(fd);
    struct dirent *entry;
    if (!entries && fd >= 0)
        close(fd);
    for (unsigned i = 0; entries && i < ENTRIES_MAX && (entry = readdir(entries)); i++) {
        const size_t n = strlen(base);
        if (strncmp(entry->d_name, base, n) != 0 || entry->d_name[n] != '-' || strlen(entry->d_name) != n + 17)
            continue;
        snprintf(ret, NAME_SIZE, "%.*s", NAME_SIZE - 1, entry->d_name);
        if (is_there(s, ret, inode))
            return true;
    }
    return false;
}

/* By the first name that is to be had; it replaces the base in `name`. The error is that of the documented name. */
static int lay_out_somewhere(const struct spot *s, char name[NAME_SIZE], ino_t *inode, struct err *err)
{
    char base[NAME_SIZE], hex[17];
    memcpy(base, name, NAME_SIZE);
    const int first = lay_out(s, name, inode, err);
    if (!is_taken(first))
        return first;
    snprintf(name, NAME_SIZE, "%.100s-%u", base, (unsigned)geteuid());
    int code = lay_out(s, name, inode, NULL);
    if (is_taken(code) && find_random(s, base, name, inode))
        return 0;
    if (is_taken(code) && random_hex(hex, NULL) == 0) {
        snprintf(name, NAME_SIZE, "%.100s-%s", base, hex);
        code = lay_out(s, name, inode, NULL);
    }
    return code < 0 ? first : 0;
}

static void variant_name(const struct asprof_dist *d, enum jvm_libc libc, char ret[NAME_SIZE])
{
    snprintf(ret, NAME_SIZE, "grafana-agent-asprof-%s-%s", libc == JVM_MUSL ? "musl" : "glibc", d->sha1);
}

/* What a person can do about it. */
static const char *asprof_remedy(int code)
{
    switch (code) {
    case -ENOSPC:
    case -EDQUOT:
        return " (free some space there, or set tmp_dir to a directory with enough space)";
    case -EROFS:
        return " (mount a writable volume there, or set tmp_dir to a writable directory)";
    default:
        return "";
    }
}

/* As err_wrap(), with the remedy at the end. */
static int asprof_explain(struct err *err, int code, const char *whose, const char *tmp_dir)
{
    if (!err)
        return code;
    const struct err inner = *err;
    return err_set(err, code, "install the library in %s of the %s: %s%s", tmp_dir, whose, inner.text,
                   asprof_remedy(code));
}

/* The host's tmp_dir: nobody but root may be able to exchange what lies in it, for root runs it. */
static int check_tmp_dir(int fd, const char *tmp_dir, struct err *err)
{
    struct stat st;
    if (fstat(fd, &st) < 0)
        return err_errno(err, "stat %s", tmp_dir);
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
    char name[NAME_SIZE];
    ino_t inode;
    variant_name(d, libc, name);
    if (tmp_dir[0] != '/')
        return err_set(err, -EINVAL, "tmp_dir \"%s\" must be an absolute path", tmp_dir);
    if (strlen(tmp_dir) + NAME_SIZE + 1 >= ASPROF_PATH_SIZE)
        return err_set(err, -ENAMETOOLONG, "tmp_dir is too long");
    cleanup_close int parent = open(tmp_dir, O_PATH | O_DIRECTORY | O_CLOEXEC);
    if (parent < 0)
        return err_errno(err, "open tmp_dir %s", tmp_dir);
    int code = check_tmp_dir(parent, tmp_dir, err);
    if (code < 0)
        return code;
    const struct spot s = {d, parent, false};
    code = lay_out_somewhere(&s, name, &inode, err);
    if (code < 0)
        return asprof_explain(err, code, "host", tmp_dir);
    snprintf(ret, ASPROF_PATH_SIZE, "%s/%s", tmp_dir, name);
    return 0;
}

/* tmp_dir beneath a target's root, made where the target has none. */
static int open_target_tmp(int root, const char *tmp_dir, struct err *err)
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
        cleanup_close int made = parent < 0 ? parent : asprof_make(parent, last + 1, PUBLIC_DIR, err);
        if (made < 0)
            return made;
    }
    return rootfs_dir(root, tmp_dir, err);
}

/* That the JVM can load a library from there, and that nobody else can replace it. */
static int check_target_tmp(int root, int parent, const char *tmp_dir, bool guarded, struct err *err)
{
    struct statvfs fs;
    if (guarded && !rootfs_guarded(root, parent, geteuid()))
        return err_set(err, -EPERM, "%s is world-writable and has no sticky bit: others could replace the library",
                       tmp_dir);
    if (fstatvfs(parent, &fs) == 0 && fs.f_flag & ST_NOEXEC)
        return err_set(err, -EACCES,
                       "%s of the target is mounted noexec: the JVM cannot load the library from it; set tmp_dir to "
                       "another directory",
                       tmp_dir);
    return 0;
}

int asprof_place(const struct asprof_dist *d, int root, const char *tmp_dir, enum jvm_libc libc, bool guarded,
                 struct asprof_placed *ret, struct err *err)
{
    char name[NAME_SIZE];
    struct asprof_placed placed = {0};
    variant_name(d, libc, name);
    if (tmp_dir[0] != '/')
        return err_set(err, -EINVAL, "tmp_dir \"%s\" must be an absolute path", tmp_dir);
    if (strlen(tmp_dir) + NAME_SIZE + sizeof "/lib/" LIBRARY >= sizeof placed.path)
        return err_set(err, -ENAMETOOLONG, "tmp_dir is too long");
    cleanup_close int parent = open_target_tmp(root, tmp_dir, err);
    if (parent < 0)
        return asprof_explain(err, parent, "target", tmp_dir);
    int code = check_target_tmp(root, parent, tmp_dir, guarded, err);
    if (code < 0)
        return code;
    const struct spot s = {d, parent, true};
    code = lay_out_somewhere(&s, name, &placed.inode, err);
    if (code < 0)
        return asprof_explain(err, code, "target", tmp_dir);
    *ret = placed;
    snprintf(ret->path, sizeof ret->path, "%s/%s/lib/" LIBRARY, tmp_dir, name);
    ret->overlay = fs_is_overlay(parent);
    return 0;
}

/* tmp_dir beneath a target's root, or the directory in which it would be made. */
static int find_target_tmp(int root, const char *tmp_dir, struct err *err)
{
    char part[ASPROF_PATH_SIZE];
    snprintf(part, sizeof part, "%s", tmp_dir);
    for (char *slash; (slash = strrchr(part, '/')); *slash = '\0') {
        const int fd = rootfs_dir(root, part, err);
        if (fd != -ENOENT)
            return fd;
    }
    return rootfs_dir(root, "/", err);
}

static int asprof_check(const struct asprof_dist *d, int root, const char *tmp_dir, bool guarded, struct err *err)
{
    struct statvfs fs;
    if (tmp_dir[0] != '/' || strlen(tmp_dir) >= ASPROF_PATH_SIZE)
        return err_set(err, -EINVAL, "tmp_dir \"%s\" must be an absolute path", tmp_dir);
    cleanup_close int parent = find_target_tmp(root, tmp_dir, err);
    if (parent < 0)
        return asprof_explain(err, parent, "target", tmp_dir);
    int code = check_target_tmp(root, parent, tmp_dir, guarded, err);
    if (code == 0 && faccessat(parent, ".", W_OK | X_OK, 0) < 0) {
        code = err_errno(err, "not writable for the JVM");
        return asprof_explain(err, code, "target", tmp_dir);
    }
    if (code == 0 && fstatvfs(parent, &fs) == 0 && (uint64_t)fs.f_bavail * fs.f_frsize < d->library.n) {
        code = err_set(err, -ENOSPC, "%s", strerror(ENOSPC));
        return asprof_explain(err, code, "target", tmp_dir);
    }
    return code;
}

/* Not a matter of who may write there, nor of space: another place may be better. */
static bool asprof_unsuitable(int code)
{
    return code == -ENOENT || code == -ENOTDIR || code == -EROFS || code == -EACCES;
}

/* The working directory by a path that leads there beneath the target's root; "" when none is known. */
static const char *asprof_working_directory(const struct jvm_view *v)
{
    struct stat there, cwd;
    cleanup_close int fd = v->cwd < 0 || v->cwd_path[0] != '/' ? -1 : rootfs_dir(v->root, v->cwd_path, NULL);
    const bool same = fd >= 0 && fstat(fd, &there) == 0 && fstat(v->cwd, &cwd) == 0 && there.st_dev == cwd.st_dev &&
                      there.st_ino == cwd.st_ino;
    return same && strlen(v->cwd_path) > 1 ? v->cwd_path : "";
}

/* Takes a step in one directory after another, until one succeeds. `arg` is the step's. */
typedef int asprof_step(const struct asprof_dist *d, const struct jvm_view *v, const char *dir, void *arg,
                        struct err *err);

static int asprof_search(const struct asprof_dist *d, const struct jvm_view *v, const char *tmp_dir, asprof_step *step,
                         void *arg, struct err *err)
{
    const char *const others[] = {"/run", "/opt", "/dev", "/var/tmp", asprof_working_directory(v)};
    const int first = step(d, v, tmp_dir, arg, err);
    if (!asprof_unsuitable(first))
        return first;
    for (size_t i = 0; i < ARRAY_LEN(others); i++) {
        cleanup_close int there = others[i][0] ? rootfs_dir(v->root, others[i], NULL) : -1;
        if (there >= 0 && fs_is_local(there) && step(d, v, others[i], arg, NULL) == 0)
            return 0;
    }
    return first;
}

struct asprof_placing {
    enum jvm_libc libc;
    struct asprof_placed *placed;
};

static int asprof_step_place(const struct asprof_dist *d, const struct jvm_view *v, const char *dir, void *arg,
                             struct err *err)
{
    const struct asprof_placing *p = arg;
    return asprof_place(d, v->root, dir, p->libc, v->host, p->placed, err);
}

int asprof_place_for(const struct asprof_dist *d, const struct jvm_view *v, const char *tmp_dir, enum jvm_libc libc,
                     struct asprof_placed *ret, struct err *err)
{
    struct asprof_placing p = {libc, ret};
    return asprof_search(d, v, tmp_dir, asprof_step_place, &p, err);
}

static int asprof_step_check(const struct asprof_dist *d, const struct jvm_view *v, const char *dir, void *arg,
                             struct err *err)
{
    const int code = asprof_check(d, v->root, dir, v->host, err);
    if (code == 0)
        snprintf(arg, ASPROF_PATH_SIZE, "%s", dir);
    return code;
}

int asprof_place_check(const struct asprof_dist *d, const struct jvm_view *v, const char *tmp_dir,
                       char ret[ASPROF_PATH_SIZE], struct err *err)
{
    return asprof_search(d, v, tmp_dir, asprof_step_check, ret, err);
}

struct str asprof_fingerprint(const struct jvm_probe *t, const struct asprof_dist *d)
{
    static const char libc[] = "-glibc-";
    const char *tail = jvm_our_library(t->ours.path), *at = tail ? strstr(tail, "-musl-") : NULL;
    if (!tail)
        return str_of(d->sha1);
    at = at ? at + strlen("-musl-") : strstr(tail, libc) + strlen(libc);
    return (struct str){at, SHA1_HEX_SIZE - 1};
}
