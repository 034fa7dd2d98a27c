#include "components/pyroscope_file_directory.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <stdbool.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/mem.h"

enum { DIRECTORY_MODE = 0750, WRITE_BY_OTHERS = 022 };

/* A descriptor, or -1: not for root to make something in. */
static int file_directory_parent(const char *path)
{
    struct stat st;
    struct open_how how = {.flags = O_PATH | O_DIRECTORY | O_CLOEXEC, .resolve = RESOLVE_NO_SYMLINKS};
    cleanup_close int fd = (int)syscall(SYS_openat2, AT_FDCWD, path, &how, sizeof how);
    if (fd < 0 || fstat(fd, &st) < 0 || st.st_uid != 0 || ((st.st_mode & WRITE_BY_OTHERS) && !(st.st_mode & S_ISVTX)))
        return -1;
    return TAKE_FD(fd);
}

static int file_directory_give(int parent, const char *name, const struct host_user *user)
{
    struct stat st;
    cleanup_close int fd = openat(parent, name, O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    if (fd < 0 || fstat(fd, &st) < 0 || fchownat(fd, "", user->uid, user->gid, AT_EMPTY_PATH) < 0)
        return -errno;
    return 0;
}

int file_directory_make(const char *path, const struct host_user *user, struct err *err)
{
    cleanup_free char *copy = xstrdup(path);
    size_t n = strlen(copy);
    while (n > 1 && copy[n - 1] == '/')
        copy[--n] = '\0';
    char *slash = strrchr(copy, '/');
    if (!slash || !slash[1])
        return 0;
    const char *name = slash + 1;
    *slash = '\0';
    cleanup_close int parent = file_directory_parent(slash == copy ? "/" : copy);
    if (parent < 0)
        return 0;
    if (mkdirat(parent, name, DIRECTORY_MODE) < 0)
        return errno == EEXIST ? 0 : err_errno(err, "create %s", path);
    const int code = file_directory_give(parent, name, user);
    if (code == 0)
        return 0;
    (void)unlinkat(parent, name, AT_REMOVEDIR); /* nobody could use it */
    return err_set(err, code, "give %s to user %u: %s", path, user->uid, strerror(-code));
}

int file_directory_error(const char *path, int code, struct err *err)
{
    const unsigned uid = geteuid(), gid = getegid();
    struct stat st;
    if (code == -EROFS)
        return err_set(err, code,
                       "%s: %s: choose a directory on a writable file system; the systemd unit allows writes below "
                       "/var/lib/smolder, and elsewhere with ReadWritePaths=",
                       path, strerror(-code));
    if (code != -EACCES && code != -EPERM)
        return err_set(err, code, "%s: %s%s", path, strerror(-code),
                       code == -ENOENT ? ": the directory above it has to exist" : "");
    if (stat(path, &st) == 0)
        return err_set(err, code, "%s: %s: give it to the agent's user (chown %u:%u), or choose another directory",
                       path, strerror(-code), uid, gid);
    return err_set(
        err, code,
        "%s: %s: create it for the agent's user (install -d -o %u -g %u -m 750), or choose another directory", path,
        strerror(-code), uid, gid);
}
