#include "os/replace.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/fd.h"
#include "base/mem.h"

/* Everything before the rename; `fd` is of the new file. */
static int replace_fill(int fd, const struct stat *old, struct str content)
{
    struct stat new;
    if (fstat(fd, &new) < 0)
        return -errno;
    if ((new.st_uid != old->st_uid || new.st_gid != old->st_gid) && fchown(fd, old->st_uid, old->st_gid) < 0)
        return -errno;
    if (fchmod(fd, old->st_mode & 07777) < 0)
        return -errno;
    const int code = fd_write_all(fd, content.p, content.n);
    if (code < 0)
        return code;
    return fsync(fd) < 0 ? -errno : 0;
}

int replace_file(const char *path, struct str content, struct err *err)
{
    struct stat old;
    cleanup_free char *real = realpath(path, NULL);
    if (!real || stat(real, &old) < 0)
        return err_errno(err, "%s", path);
    if (!S_ISREG(old.st_mode))
        return err_set(err, -EINVAL, "%s: not a regular file", path);
    const char *name = strrchr(real, '/') + 1;
    cleanup_free char *temporary = xasprintf("%.*s.%s.XXXXXX", (int)(name - real), real, name);
    cleanup_close int fd = mkostemp(temporary, O_CLOEXEC);
    if (fd < 0)
        return err_errno(err, "create a temporary file beside %s", path);
    int code = replace_fill(fd, &old, content);
    if (code == 0 && rename(temporary, real) < 0)
        code = -errno;
    if (code == 0)
        return 0;
    unlink(temporary);
    errno = -code;
    return err_errno(err, "replace %s", path);
}
