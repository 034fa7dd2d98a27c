#include "os/namespace.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "base/cleanup.h"

static bool namespace_is_ours(const struct stat *theirs, const char *name)
{
    char path[64];
    struct stat st;
    snprintf(path, sizeof path, "/proc/self/ns/%s", name);
    return stat(path, &st) == 0 && st.st_dev == theirs->st_dev && st.st_ino == theirs->st_ino;
}

int namespace_enter(const struct pidref *p, const char *name, struct err *err)
{
    char path[32];
    struct stat st;
    snprintf(path, sizeof path, "ns/%s", name);
    cleanup_close int fd = pidref_openat(p, path, O_RDONLY);
    if (fd < 0)
        return err_set(err, fd, "open /proc/%d/%s: %s", (int)p->pid, path, strerror(-fd));
    if (fstat(fd, &st) < 0)
        return err_errno(err, "stat /proc/%d/%s", (int)p->pid, path);
    if (namespace_is_ours(&st, name) || setns(fd, 0) == 0)
        return 0;
    return err_errno(err, "enter the %s namespace of process %d", name, (int)p->pid);
}
