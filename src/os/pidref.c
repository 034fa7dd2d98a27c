#include "os/pidref.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "os/fsutil.h"
#include "os/procfs.h"

enum { STAT_MAX = 4096 };

static int read_stat(const struct pidref *p, struct procfs_stat *ret, struct err *err)
{
    cleanup_buf struct buf text = BUF_INIT(STAT_MAX);
    int code = pidref_read(p, "stat", &text, NULL, err);
    if (code < 0)
        return code;
    if (!procfs_stat_parse(buf_slice(&text), ret))
        return err_set(err, -EBADMSG, "/proc/%d/stat has no start time", (int)p->pid);
    return 0;
}

static int pidref_find(pid_t pid, struct pidref *ret, struct err *err)
{
    cleanup_pidref struct pidref p = PIDREF_INIT;
    p.pid = pid;
    p.fd = (int)syscall(SYS_pidfd_open, pid, 0);
    if (p.fd < 0)
        return err_errno(err, "process %d", (int)pid);
    char path[32];
    snprintf(path, sizeof path, "/proc/%d", (int)pid);
    p.proc = open(path, O_PATH | O_DIRECTORY | O_CLOEXEC);
    if (p.proc < 0)
        return err_errno(err, "open %s", path);
    struct procfs_stat stat;
    int code = read_stat(&p, &stat, err);
    if (code < 0)
        return err_wrap(err, code, "process %d", (int)pid);
    p.start_time = stat.start_time;
    *ret = p;
    p = PIDREF_INIT;
    return 0;
}

int pidref_open(pid_t pid, uint64_t start_time, struct pidref *ret, struct err *err)
{
    cleanup_pidref struct pidref p = PIDREF_INIT;
    const int code = pidref_find(pid, &p, err);
    if (code < 0)
        return code;
    /* If the process of the pidfd still lives, the pid cannot have changed hands before its directory was opened. */
    if (!pidref_alive(&p) || (start_time && p.start_time != start_time))
        return err_set(err, -ESRCH, "process %d is gone", (int)pid);
    *ret = p;
    p = PIDREF_INIT;
    return 0;
}

int pidref_open_ended(pid_t pid, uint64_t start_time, struct pidref *ret)
{
    cleanup_pidref struct pidref p = PIDREF_INIT;
    if (pidref_find(pid, &p, NULL) < 0 || p.start_time != start_time)
        return -ESRCH;
    *ret = p;
    p = PIDREF_INIT;
    return 0;
}

bool pidref_alive(const struct pidref *p)
{
    struct pollfd exited = {.fd = p->fd, .events = POLLIN};
    return p->fd >= 0 && poll(&exited, 1, 0) == 0;
}

int pidref_kill(const struct pidref *p, int sig, struct err *err)
{
    if (syscall(SYS_pidfd_send_signal, p->fd, sig, NULL, 0) < 0)
        return err_errno(err, "signal %d to process %d", sig, (int)p->pid);
    return 0;
}

int pidref_openat(const struct pidref *p, const char *name, int flags)
{
    int fd = openat(p->proc, name, flags | O_CLOEXEC);
    return fd < 0 ? -errno : fd;
}

int pidref_read(const struct pidref *p, const char *name, struct buf *out, bool *whole, struct err *err)
{
    cleanup_close int fd = pidref_openat(p, name, O_RDONLY | O_NONBLOCK);
    if (fd < 0)
        return err_set(err, fd, "open /proc/%d/%s: %s", (int)p->pid, name, strerror(-fd));
    int code = fs_read(fd, out, whole);
    if (code < 0)
        return err_set(err, code, "read /proc/%d/%s: %s", (int)p->pid, name, strerror(-code));
    return 0;
}

ssize_t pidref_readlink(const struct pidref *p, const char *name, char *ret, size_t size)
{
    ssize_t n = readlinkat(p->proc, name, ret, size - 1);
    if (n < 0)
        return -errno;
    ret[n] = '\0';
    return n;
}

char pidref_state(const struct pidref *p)
{
    struct procfs_stat stat;
    return read_stat(p, &stat, NULL) < 0 ? 0 : stat.state;
}

void pidref_done(struct pidref *p)
{
    if (p->fd >= 0)
        close(p->fd);
    if (p->proc >= 0)
        close(p->proc);
    *p = PIDREF_INIT;
}
