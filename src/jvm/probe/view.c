#include "jvm/probe/view.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "jvm/probe/cgroup.h"
#include "jvm/probe/user.h"
#include "os/fsutil.h"
#include "os/procfs.h"
#include "os/rootfs.h"

enum { STATUS_MAX = 1 << 20, CMDLINE_MAX = 2 << 20, ENVIRON_MAX = 2 << 20 };

int jvm_view_read(int file, struct buf *out)
{
    return lseek(file, 0, SEEK_SET) < 0 ? -errno : fs_read(file, out, NULL);
}

/* One column per nested namespace, the innermost last; absent before Linux 4.1. */
static bool read_ns_pid(struct str status, pid_t otherwise, pid_t *ret)
{
    struct str ns = procfs_status_field(status, "NSpid"), word;
    uint64_t pid = (uint64_t)otherwise;
    while (str_split(&ns, '\t', &word))
        if (!str_to_u64(str_trim(word), &pid))
            return false;
    *ret = (pid_t)pid;
    return true;
}

static int read_rights(const struct jvm_view *v, struct rights *ret, pid_t *ns_pid, struct err *err)
{
    cleanup_buf struct buf text = BUF_INIT(STATUS_MAX);
    int code = jvm_view_read(v->status, &text);
    if (code < 0)
        return err_set(err, code, "read /proc/%d/status: %s", (int)v->p.pid, strerror(-code));
    if (ns_pid && !read_ns_pid(buf_slice(&text), v->p.pid, ns_pid))
        return err_set(err, -EBADMSG, "/proc/%d/status has a bad NSpid", (int)v->p.pid);
    return rights_parse(buf_slice(&text), ret, err);
}

static bool is_java(const struct pidref *p)
{
    char exe[PATH_MAX];
    ssize_t n = pidref_readlink(p, "exe", exe, sizeof exe);
    struct str path = procfs_without_deleted((struct str){exe, n < 0 ? 0 : (size_t)n});
    return str_has_suffix(path, STR("/java"));
}

static void view_read_arguments(struct jvm_view *v)
{
    bool cmdline = false, environment = false;
    v->java = is_java(&v->p);
    v->cmdline = BUF_INIT(CMDLINE_MAX);
    v->environ = BUF_INIT(ENVIRON_MAX);
    const bool read = pidref_read(&v->p, "cmdline", &v->cmdline, &cmdline, NULL) == 0 &&
                      pidref_read(&v->p, "environ", &v->environ, &environment, NULL) == 0;
    v->whole = read && cmdline && environment;
}

static int view_open_files(struct jvm_view *v, struct err *err)
{
    const struct {
        const char *name;
        int flags, *fd;
        bool needed;
    } files[] = {
        {"root", O_PATH | O_DIRECTORY, &v->root, true},
        {"cwd", O_PATH | O_DIRECTORY, &v->cwd, false},
        {"exe", O_PATH, &v->exe, false},
        {"status", O_RDONLY, &v->status, true},
        {"maps", O_RDONLY, &v->maps, true},
        {"mountinfo", O_RDONLY, &v->mountinfo, false},
        {"mem", O_RDONLY, &v->mem, false},
    };
    for (size_t i = 0; i < ARRAY_LEN(files); i++) {
        *files[i].fd = pidref_openat(&v->p, files[i].name, files[i].flags);
        if (*files[i].fd < 0 && files[i].needed)
            return err_set(err, *files[i].fd, "open /proc/%d/%s: %s", (int)v->p.pid, files[i].name,
                           strerror(-*files[i].fd));
    }
    return 0;
}

int jvm_view_open(struct jvm_view *v, pid_t pid, uint64_t start_time, struct err *err)
{
    int code = pidref_open(pid, start_time, &v->p, err);
    if (code < 0)
        return code == -ENOENT ? err_set(err, -ESRCH, "process %d is gone", (int)pid) : code;
    const char state = pidref_state(&v->p);
    if (state == 0 || state == 'Z' || state == 'X')
        return err_set(err, -ESRCH, "process %d is gone", (int)pid);
    if (state == 'T' || state == 't')
        return err_set(err, -ETIMEDOUT, "process %d is stopped", (int)pid);
    if (cgroup_frozen(&v->p))
        return err_set(err, -ETIMEDOUT, "process %d is frozen by its cgroup", (int)pid);
    code = view_open_files(v, err);
    if (code == 0)
        code = read_rights(v, &v->rights, &v->ns_pid, err);
    if (code < 0)
        return pidref_alive(&v->p) ? code : err_set(err, -ESRCH, "process %d is gone", (int)pid);
    v->host = jvm_sees_host(v->p.proc);
    if (pidref_readlink(&v->p, "cwd", v->cwd_path, sizeof v->cwd_path) < 0)
        v->cwd_path[0] = '\0';
    view_read_arguments(v);
    return 0;
}

int jvm_view_become(const struct jvm_view *v, struct err *err)
{
    cleanup_rights struct rights now = {0};
    int code = read_rights(v, &now, NULL, err);
    if (code < 0)
        return code;
    /* A setuid program that it ran a moment ago lends its rights to nobody. */
    if (!rights_equal(&now, &v->rights))
        return err_set(err, -EAGAIN, "process %d changed its user", (int)v->p.pid);
    return rights_become(&v->rights, err);
}

bool jvm_view_catches_quit(const struct jvm_view *v)
{
    cleanup_buf struct buf text = BUF_INIT(STATUS_MAX);
    if (jvm_view_read(v->status, &text) < 0)
        return false;
    /* Hexadecimal, signal 1 is the lowest bit. */
    char mask[32];
    snprintf(mask, sizeof mask, "%.*s", STR_ARG(procfs_status_field(buf_slice(&text), "SigCgt")));
    return strtoull(mask, NULL, 16) >> (SIGQUIT - 1) & 1;
}

void jvm_view_done(struct jvm_view *v)
{
    int *const fds[] = {&v->root, &v->cwd, &v->exe, &v->status, &v->maps, &v->mountinfo, &v->mem};
    for (size_t i = 0; i < ARRAY_LEN(fds); i++) {
        if (*fds[i] >= 0)
            close(*fds[i]);
        *fds[i] = -1;
    }
    buf_done(&v->cmdline);
    buf_done(&v->environ);
    rights_done(&v->rights);
    pidref_done(&v->p);
}
