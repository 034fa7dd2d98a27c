#include "cli/storage.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/mem.h"
#include "base/str.h"

/* spool/<endpoint>/<profile> */
#define SPOOL "spool"

enum { DIR_MODE = 0700, WRITE_BY_OTHERS = 022, ENDPOINT_NAME = 16 };

/* Prefixes of all that an agent has ever written there. */
static const char *const ours[] = {"store.db", "quarantine"};

const char *storage_default(void)
{
    static const char here[] = "data-smolder";
    struct stat st;
    return geteuid() != 0 || (stat(here, &st) == 0 && S_ISDIR(st.st_mode)) ? here : "/var/lib/smolder";
}

const char *storage_of(const char *given)
{
    return *given ? given : storage_default();
}

static bool storage_is_ours(const char *name)
{
    for (size_t i = 0; i < ARRAY_LEN(ours); i++)
        if (str_has_prefix(str_of(name), str_of(ours[i])))
            return true;
    return false;
}

static int storage_give(int fd, const char *what, const struct host_user *user, struct err *err)
{
    if (fchownat(fd, "", user->uid, user->gid, AT_EMPTY_PATH) == 0)
        return 0;
    return err_errno(err, "give %s to user %u (chown %u:%u does that by hand)", what, user->uid, user->uid, user->gid);
}

/* An O_PATH descriptor, so that neither a FIFO nor a device is opened; -1: nothing to hand over. */
static int storage_open_file(int dir, const char *name)
{
    struct stat st;
    cleanup_close int fd = openat(dir, name, O_PATH | O_NOFOLLOW | O_CLOEXEC);
    if (fd < 0 || fstat(fd, &st) < 0 || !S_ISREG(st.st_mode) || st.st_nlink != 1 || st.st_uid != 0)
        return -1;
    return TAKE_FD(fd);
}

/* A directory of root that nobody else may write, as an agent makes it; -1: another one, or none. */
static int storage_open_dir(int dir, const char *name, const struct stat *top)
{
    struct stat st;
    cleanup_close int fd = openat(dir, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    if (fd < 0 || fstat(fd, &st) < 0 || st.st_uid != 0 || (st.st_mode & WRITE_BY_OTHERS) || st.st_dev != top->st_dev)
        return -1;
    return TAKE_FD(fd);
}

/* Calls `visit` for each entry until it does not return 0, and returns that. */
static int storage_each(int dir, int (*visit)(void *arg, int dir, const char *name), void *arg)
{
    int code = 0;
    const int again = openat(dir, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    cleanup_closedir DIR *files = again < 0 ? NULL : fdopendir(again);
    if (!files)
        return -errno;
    for (struct dirent *e; code == 0 && (e = readdir(files));)
        if (strcmp(e->d_name, ".") != 0 && strcmp(e->d_name, "..") != 0)
            code = visit(arg, dir, e->d_name);
    return code;
}

/* An endpoint's (components/pyroscope_write_sender_spill.c). */
static int storage_is_endpoint(void *arg, int dir, const char *name)
{
    bool *any = arg;
    (void)dir;
    *any = true;
    return strlen(name) == ENDPOINT_NAME && strspn(name, "0123456789abcdef") == ENDPOINT_NAME ? 0 : -ENOENT;
}

struct storage_gift {
    const struct stat *top; /* the data directory */
    const struct host_user *user;
    struct err *err;
};

static int storage_give_spooled(void *arg, int dir, const char *name)
{
    const struct storage_gift *g = arg;
    cleanup_close int fd = storage_open_file(dir, name);
    return fd < 0 ? 0 : storage_give(fd, name, g->user, g->err);
}

/* Its content first: until then nobody but root can put anything there. */
static int storage_give_endpoint(void *arg, int dir, const char *name)
{
    struct storage_gift *g = arg;
    cleanup_close int fd = storage_open_dir(dir, name, g->top);
    const int code = fd < 0 ? 0 : storage_each(fd, storage_give_spooled, g);
    return fd < 0 || code < 0 ? code : storage_give(fd, name, g->user, g->err);
}

/* Only one that holds nothing but directories of endpoints: /var has a spool as well. */
static int storage_give_spool(int dir, const struct stat *top, const struct host_user *user, bool *is_ours,
                              struct err *err)
{
    bool any = false;
    struct storage_gift g = {top, user, err};
    cleanup_close int fd = storage_open_dir(dir, SPOOL, top);
    if (fd < 0 || storage_each(fd, storage_is_endpoint, &any) < 0 || !any)
        return 0;
    const int code = storage_each(fd, storage_give_endpoint, &g);
    *is_ours = true;
    return code < 0 ? code : storage_give(fd, SPOOL, user, err);
}

/* *is_ours: it is empty, or something in it is ours. */
static int storage_give_files(int dir, const struct stat *top, const struct host_user *user, bool *is_ours,
                              struct err *err)
{
    int code = 0;
    bool empty = true, found = false;
    const int again = openat(dir, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    cleanup_closedir DIR *files = again < 0 ? NULL : fdopendir(again);
    if (!files)
        return err_errno(err, "read the directory");
    for (struct dirent *e; code == 0 && (e = readdir(files));) {
        if (strcmp(e->d_name, ".") == 0 || strcmp(e->d_name, "..") == 0)
            continue;
        empty = false;
        if (strcmp(e->d_name, SPOOL) == 0)
            code = storage_give_spool(dir, top, user, &found, err);
        if (!storage_is_ours(e->d_name))
            continue;
        cleanup_close int fd = storage_open_file(dir, e->d_name);
        found = found || fd >= 0;
        if (fd >= 0)
            code = storage_give(fd, e->d_name, user, err);
    }
    *is_ours = empty || found;
    return code;
}

/* The files first: should this stop half-way, the directory is still root's, and the next start goes on. */
static int storage_hand_over(const char *dir, const struct host_user *user, struct err *err)
{
    struct stat st;
    bool is_ours = false;
    cleanup_close int fd = open(dir, O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    if (fd < 0 && (errno == ELOOP || errno == ENOTDIR))
        return 0; /* a link: whoever made it decides whose it is */
    if (fd < 0 || fstat(fd, &st) < 0)
        return err_errno(err, "open");
    if (st.st_uid != 0 || (st.st_mode & WRITE_BY_OTHERS))
        return 0;
    const int code = storage_give_files(fd, &st, user, &is_ours, err);
    return code < 0 || !is_ours ? code : storage_give(fd, "the directory", user, err);
}

static int storage_make(const char *dir, const struct host_user *user, struct err *err)
{
    cleanup_free char *path = xstrdup(dir);
    for (char *at = path + 1;; at++) {
        const char c = *at;
        if (c && c != '/')
            continue;
        *at = '\0';
        if (mkdir(path, DIR_MODE) == 0) {
            const int code = storage_hand_over(path, user, err);
            if (code < 0)
                return code;
        } else if (errno != EEXIST) {
            return err_errno(err, "create %s", path);
        }
        if (!c)
            return 0;
        *at = c;
    }
}

int storage_prepare(const char *flag, const char *dir, const struct host_user *user, struct err *err)
{
    if (!*dir)
        return 0;
    int code = storage_make(dir, user, err);
    if (code == 0)
        code = storage_hand_over(dir, user, err);
    return code < 0 ? err_wrap(err, code, "%s=%s", flag, dir) : 0;
}

int storage_check(const char *flag, const char *dir, struct err *err)
{
    if (!*dir || faccessat(AT_FDCWD, dir, R_OK | W_OK | X_OK, AT_EACCESS) == 0 || errno == ENOENT)
        return 0;
    const int code = -errno;
    return err_set(err, code,
                   "%s=%s: %s: give the directory to user %u (chown) and let that user search those above "
                   "it, or choose another one",
                   flag, dir, strerror(-code), geteuid());
}
