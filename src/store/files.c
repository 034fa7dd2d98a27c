#include "store/files.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/mem.h"
#include "base/str.h"

enum { DIR_MODE = 0700, FILE_MODE = 0600, OTHERS = 077, SETTABLE = 07777 };

static int store_files_make_dirs(const char *dir, struct err *err)
{
    cleanup_free char *path = xstrdup(dir);
    for (char *at = path + 1;; at++) {
        char c = *at;
        if (c && c != '/')
            continue;
        *at = '\0';
        if (mkdir(path, DIR_MODE) < 0 && errno != EEXIST)
            return err_errno(err, "create %s", path);
        if (!c)
            return 0;
        *at = c;
    }
}

/* Without the rights of others. One that belongs to somebody else stays as it is: opening it will tell. */
static void store_files_keep_private(int fd)
{
    struct stat st;
    if (fstat(fd, &st) == 0 && (st.st_mode & OTHERS) && (S_ISREG(st.st_mode) || S_ISDIR(st.st_mode)) &&
        fchmod(fd, st.st_mode & SETTABLE & ~OTHERS) < 0)
        return;
}

static void store_files_protect_file(int dir, const char *name)
{
    cleanup_close int fd = openat(dir, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
    if (fd >= 0)
        store_files_keep_private(fd);
}

int store_files_prepare(const char *dir, const char *name, struct err *err)
{
    const int code = store_files_make_dirs(dir, err);
    if (code < 0)
        return code;
    cleanup_closedir DIR *files = opendir(dir);
    if (!files)
        return err_errno(err, "open %s", dir);
    bool only_ours = true;
    for (struct dirent *e; (e = readdir(files));) {
        if (strcmp(e->d_name, ".") == 0 || strcmp(e->d_name, "..") == 0)
            continue;
        if (str_has_prefix(str_of(e->d_name), str_of(name)))
            store_files_protect_file(dirfd(files), e->d_name);
        else
            only_ours = false;
    }
    if (only_ours)
        store_files_keep_private(dirfd(files));
    /* SQLite gives its other files the mode of the first. What fails here fails again when it opens it, and is told
     * then. */
    const int fd = openat(dirfd(files), name, O_RDWR | O_CREAT | O_NOFOLLOW | O_CLOEXEC, FILE_MODE);
    if (fd >= 0)
        close(fd);
    return 0;
}

int store_files_lock(const char *dir, int *ret, struct err *err)
{
    cleanup_close int fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0)
        return err_errno(err, "open %s", dir);
    if (flock(fd, LOCK_EX | LOCK_NB) == 0) {
        *ret = TAKE_FD(fd);
        return 0;
    }
    if (errno == EWOULDBLOCK)
        return err_set(err, -EBUSY, "%s belongs to another store that runs: an agent, smolder store or pyroscope.store",
                       dir);
    *ret = -1;
    return 0;
}

unsigned store_files_forget(const char *dir, const char *prefix, int64_t before_seconds)
{
    cleanup_closedir DIR *files = opendir(dir);
    struct stat st;
    unsigned gone = 0;
    if (!files)
        return 0;
    for (struct dirent *e; (e = readdir(files));) {
        if (str_has_prefix(str_of(e->d_name), str_of(prefix)) &&
            fstatat(dirfd(files), e->d_name, &st, AT_SYMLINK_NOFOLLOW) == 0 && S_ISREG(st.st_mode) &&
            st.st_mtim.tv_sec < before_seconds)
            gone += unlinkat(dirfd(files), e->d_name, 0) == 0;
    }
    return gone;
}
