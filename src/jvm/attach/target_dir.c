#include "jvm/attach/target_dir.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <time.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "os/fsutil.h"
#include "os/rootfs.h"

#define PREFIX ".smolder-"

enum { RANDOM_BYTES = 16, SWEEP_ENTRIES_MAX = 4096, SWEEP_AGE_S = 120 };

/* In order of taste: where people expect temporary files, then memory, then what else there may be in a read-only
 * image. */
static const char *const parents[] = {"/tmp", "/dev/shm", "/var/tmp", "/run"};
static const char *const files[] = {TARGET_DIR_RECORDING, TARGET_DIR_LOG, TARGET_DIR_OUTPUT};

static int check_parent(int parent, const char *path, uint64_t bytes, struct err *err)
{
    struct statvfs fs;
    if (!fs_is_local(parent))
        return err_set(err, -EREMOTE, "%s in the target is not on a local file system", path);
    if (fstatvfs(parent, &fs) < 0)
        return err_errno(err, "statvfs %s in the target", path);
    if ((uint64_t)fs.f_bavail * fs.f_frsize < bytes)
        return err_set(
            err, -ENOSPC,
            "no space for the recording: %s in the target has less than %llu MiB free; free some space there or in %s",
            path, (unsigned long long)bytes >> 20, parents[1]);
    return 0;
}

static int target_dir_make(struct jvm_target_dir *d, const char *in, struct err *err)
{
    uint8_t random[RANDOM_BYTES];
    if (getrandom(random, sizeof random, 0) != sizeof random)
        return err_errno(err, "getrandom");
    size_t n = (size_t)snprintf(d->name, sizeof d->name, "%s", PREFIX);
    for (size_t i = 0; i < sizeof random; i++)
        n += (size_t)snprintf(d->name + n, sizeof d->name - n, "%02x", random[i]);
    snprintf(d->path, sizeof d->path, "%s/%s", in, d->name);
    if (mkdirat(d->parent, d->name, 0700) < 0)
        return err_errno(err, "create %s in the target", d->path);
    d->dir = rootfs_dir_in(d->parent, d->name, err);
    if (d->dir >= 0)
        return 0;
    int code = err_wrap(err, d->dir, "set up %s in the target", d->path);
    jvm_target_dir_remove(d);
    return code;
}

/* That a directory could be made there. */
static int target_dir_allowed(struct jvm_target_dir *d, const char *in, struct err *err)
{
    if (faccessat(d->parent, ".", W_OK | X_OK, 0) < 0)
        return err_errno(err, "create a directory in %s in the target", in);
    snprintf(d->path, sizeof d->path, "%s", in);
    return 0;
}

typedef int target_dir_step(struct jvm_target_dir *d, const char *in, struct err *err);

/* -EAGAIN for a place that is passed over in this round. */
static int target_dir_try(struct jvm_target_dir *d, const struct jvm_view *v, const char *path, bool guarded,
                          uint64_t bytes, target_dir_step *step, struct err *err)
{
    d->parent = rootfs_dir(v->root, path, err);
    if (d->parent < 0)
        return d->parent;
    if (rootfs_guarded(v->root, d->parent, v->rights.uid) != guarded)
        return -EAGAIN;
    int code = check_parent(d->parent, path, bytes, err);
    return code < 0 ? code : step(d, path, err);
}

static int target_dir_find(struct jvm_target_dir *d, const struct jvm_view *v, uint64_t bytes, target_dir_step *step,
                           struct err *err)
{
    int code = err_set(err, -EPERM, "the target has no directory in which others could not replace files");
    const size_t tries = (v->host ? 1 : 2) * ARRAY_LEN(parents);
    for (size_t i = 0; i < tries; i++) {
        const size_t place = i % ARRAY_LEN(parents);
        struct err why;
        struct jvm_target_dir tried = TARGET_DIR_INIT;
        const int failed = target_dir_try(&tried, v, parents[place], i < ARRAY_LEN(parents), bytes, step, &why);
        if (failed == 0) {
            *d = tried;
            return 0;
        }
        jvm_target_dir_done(&tried);
        if (place == 0 && failed != -EAGAIN) {
            code = failed;
            err_set(err, code, "%s", why.text);
        }
    }
    return code;
}

int jvm_target_dir_open(struct jvm_target_dir *d, const struct jvm_view *v, uint64_t bytes, struct err *err)
{
    return target_dir_find(d, v, bytes, target_dir_make, err);
}

int jvm_target_dir_check(const struct jvm_view *v, uint64_t bytes, char ret[TARGET_DIR_PATH_SIZE], struct err *err)
{
    struct jvm_target_dir d = TARGET_DIR_INIT;
    const int code = target_dir_find(&d, v, bytes, target_dir_allowed, err);
    if (code < 0)
        return code;
    snprintf(ret, TARGET_DIR_PATH_SIZE, "%s", d.path);
    close(d.parent); /* nothing was made that would have to go */
    return 0;
}

int jvm_target_dir_file(const struct jvm_target_dir *d, const char *file, struct err *err)
{
    int fd = rootfs_make_file(d->dir, file);
    return fd < 0 ? err_set(err, fd, "create %s/%s in the target: %s", d->path, file, strerror(-fd)) : fd;
}

void jvm_target_dir_remove(void *arg)
{
    const struct jvm_target_dir *d = arg;
    if (d->parent < 0 || !d->name[0])
        return;
    if (d->dir >= 0)
        for (size_t i = 0; i < ARRAY_LEN(files); i++)
            unlinkat(d->dir, files[i], 0);
    unlinkat(d->parent, d->name, AT_REMOVEDIR);
}

void jvm_target_dir_done(struct jvm_target_dir *d)
{
    jvm_target_dir_remove(d);
    if (d->dir >= 0)
        close(d->dir);
    if (d->parent >= 0)
        close(d->parent);
    *d = TARGET_DIR_INIT;
}

static void target_dir_remove_old(int parent, const char *name, const struct jvm_view *v)
{
    struct jvm_target_dir old = TARGET_DIR_INIT;
    if (strlen(name) >= sizeof old.name)
        return;
    snprintf(old.name, sizeof old.name, "%s", name);
    cleanup_close int dir = rootfs_dir_in(parent, name, NULL);
    struct stat st;
    /* A younger one may belong to an operation on another JVM that shares this directory. */
    if (dir < 0 || fstat(dir, &st) < 0 || st.st_uid != v->rights.uid || st.st_mtime > time(NULL) - SWEEP_AGE_S)
        return;
    old.parent = parent;
    old.dir = dir;
    jvm_target_dir_remove(&old);
}

void jvm_target_dir_sweep(const struct jvm_view *v)
{
    for (size_t i = 0; i < ARRAY_LEN(parents); i++) {
        cleanup_close int parent = rootfs_dir(v->root, parents[i], NULL);
        int fd = parent < 0 || !fs_is_local(parent) ? -1 : fs_reopen(parent, O_RDONLY | O_DIRECTORY);
        cleanup_closedir DIR *dir = fd < 0 ? NULL : fdopendir(fd);
        if (!dir) {
            if (fd >= 0)
                close(fd);
            continue;
        }
        struct dirent *entry;
        for (unsigned n = 0; n < SWEEP_ENTRIES_MAX && (entry = readdir(dir)); n++)
            if (strncmp(entry->d_name, PREFIX, strlen(PREFIX)) == 0)
                target_dir_remove_old(parent, entry->d_name, v);
    }
}
