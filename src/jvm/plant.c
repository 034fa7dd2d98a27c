#include "jvm/plant.h"

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

#define PREFIX ".smolder-"

enum { RANDOM_BYTES = 16, SWEEP_ENTRIES_MAX = 4096, SWEEP_AGE_S = 120 };

/* In order of taste: where people expect temporary files, then memory, then what else there may be in a read-only image. */
static const char *const parents[] = {"/tmp", "/dev/shm", "/var/tmp", "/run"};
static const char *const files[] = {PLANT_RECORDING, PLANT_LOG, PLANT_OUTPUT};

static int check_parent(int root, int parent, const char *path, const struct jvm_traits *t, uint64_t bytes,
                        struct err *err)
{
    struct statvfs fs;
    int code = rootfs_guarded(root, parent, path, t->euid, &t->owner, err);
    if (code < 0)
        return code;
    if (!fs_is_local(parent))
        return err_set(err, -EREMOTE, "%s in the target is on no local file system", path);
    if (fstatvfs(parent, &fs) < 0)
        return err_errno(err, "statvfs %s in the target", path);
    if ((uint64_t)fs.f_bavail * fs.f_frsize < bytes)
        return err_set(
            err, -ENOSPC,
            "no space for the recording: %s in the target has less than %llu MiB free; free some there or in %s", path,
            (unsigned long long)bytes >> 20, parents[1]);
    return 0;
}

static int make(struct jvm_plant *pl, const char *in, struct err *err)
{
    uint8_t random[RANDOM_BYTES];
    if (getrandom(random, sizeof random, 0) != sizeof random)
        return err_errno(err, "getrandom");
    size_t n = (size_t)snprintf(pl->name, sizeof pl->name, "%s", PREFIX);
    for (size_t i = 0; i < sizeof random; i++)
        n += (size_t)snprintf(pl->name + n, sizeof pl->name - n, "%02x", random[i]);
    snprintf(pl->path, sizeof pl->path, "%s/%s", in, pl->name);
    int code = rootfs_make_dir(pl->parent, pl->name, 0700, &pl->owner);
    if (code < 0)
        return err_set(err, code, "create %s in the target: %s", pl->path, strerror(-code));
    struct stat st;
    pl->dir = openat(pl->parent, pl->name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    if (pl->dir >= 0 && fchmod(pl->dir, 0711) == 0 && fstat(pl->dir, &st) == 0 && rootfs_is_ours(&st, &pl->owner))
        return 0;
    code = err_errno(err, "set up %s in the target", pl->path);
    jvm_plant_remove(pl);
    return code;
}

int jvm_plant_open(struct jvm_plant *pl, int root, const struct jvm_traits *t, uint64_t bytes, struct err *err)
{
    int code = -ENOENT;
    for (size_t i = 0; i < ARRAY_LEN(parents); i++) {
        struct err why;
        struct jvm_plant tried = PLANT_INIT;
        tried.owner = t->owner;
        tried.uid = t->euid;
        tried.gid = t->egid;
        tried.parent = rootfs_dir(root, parents[i], &why);
        int failed = tried.parent < 0 ? tried.parent : check_parent(root, tried.parent, parents[i], t, bytes, &why);
        if (failed == 0)
            failed = make(&tried, parents[i], &why);
        if (failed == 0) {
            *pl = tried;
            return 0;
        }
        jvm_plant_done(&tried);
        if (i == 0) {
            code = failed;
            err_set(err, code, "%s", why.text);
        }
    }
    return code;
}

int jvm_plant_file(const struct jvm_plant *pl, const char *file, struct err *err)
{
    cleanup_close int fd = rootfs_make_file(pl->dir, file, &pl->owner);
    if (fd < 0)
        return err_set(err, fd, "create %s/%s in the target: %s", pl->path, file, strerror(-fd));
    if (fchown(fd, pl->uid, pl->gid) < 0)
        return err_errno(err, "give %s/%s in the target to user %u", pl->path, file, (unsigned)pl->uid);
    return TAKE_FD(fd);
}

void jvm_plant_remove(void *arg)
{
    const struct jvm_plant *pl = arg;
    if (pl->parent < 0)
        return;
    if (pl->dir >= 0)
        for (size_t i = 0; i < ARRAY_LEN(files); i++)
            unlinkat(pl->dir, files[i], 0);
    unlinkat(pl->parent, pl->name, AT_REMOVEDIR);
}

void jvm_plant_done(struct jvm_plant *pl)
{
    jvm_plant_remove(pl);
    if (pl->dir >= 0)
        close(pl->dir);
    if (pl->parent >= 0)
        close(pl->parent);
    *pl = PLANT_INIT;
}

static void sweep(int parent, const char *name, const struct jvm_traits *t)
{
    struct jvm_plant old = PLANT_INIT;
    if (strlen(name) >= sizeof old.name)
        return;
    snprintf(old.name, sizeof old.name, "%s", name);
    cleanup_close int dir = openat(parent, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    struct stat st;
    /* A younger one may belong to an operation on another JVM that shares this directory. */
    if (dir < 0 || fstat(dir, &st) < 0 || !rootfs_is_ours(&st, &t->owner) || st.st_mtime > time(NULL) - SWEEP_AGE_S)
        return;
    old.parent = parent;
    old.dir = dir;
    jvm_plant_remove(&old);
}

void jvm_plant_sweep(int root, const struct jvm_traits *t)
{
    for (size_t i = 0; i < ARRAY_LEN(parents); i++) {
        cleanup_close int parent = rootfs_dir(root, parents[i], NULL);
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
                sweep(parent, entry->d_name, t);
    }
}
