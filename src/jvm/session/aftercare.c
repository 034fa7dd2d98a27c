#include "jvm/session/aftercare.h"

#include <errno.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "base/mem.h"

enum { STAT_MAX = 4096, EXIT_CODE_FIELD = 52, STATE_FIELD = 3 };

/* struct pidfd_info of linux/pidfd.h in its first form, which headers older than the kernel do not have. */
struct pidfd_info_v0 {
    uint64_t mask, cgroup;
    uint32_t pid, tgid, ppid, uids[2], gids[2], suid, sgid, fsuid, fsgid;
    int32_t exit_code;
};
#define PIDFD_GET_INFO_V0 _IOWR(0xff, 11, struct pidfd_info_v0)
enum { PIDFD_INFO_HAS_EXIT = 1 << 3 };

static bool status_of_pidfd(const struct pidref *p, int *ret)
{
    struct pidfd_info_v0 info = {.mask = PIDFD_INFO_HAS_EXIT};
    if (ioctl(p->fd, PIDFD_GET_INFO_V0, &info) < 0 || !(info.mask & PIDFD_INFO_HAS_EXIT))
        return false;
    *ret = info.exit_code;
    return true;
}

/* Who may not trace it reads a status of 0, as of one that ended well; its links tell whether we may. */
static bool may_trace(const struct pidref *p)
{
    char path[PATH_MAX];
    ssize_t n = pidref_readlink(p, "exe", path, sizeof path);
    return n >= 0 || n == -ENOENT;
}

static bool status_of_zombie(const struct pidref *p, int *ret)
{
    cleanup_buf struct buf text = BUF_INIT(STAT_MAX);
    if (!may_trace(p) || pidref_read(p, "stat", &text, NULL, NULL) < 0)
        return false;
    /* The name may hold blanks and parentheses: the fields begin after the last one. */
    const char *paren = memrchr(text.p, ')', text.len);
    if (!paren)
        return false;
    struct str rest = str_trim((struct str){paren + 1, text.len - (size_t)(paren + 1 - (const char *)text.p)}), field;
    for (unsigned i = STATE_FIELD; str_split(&rest, ' ', &field); i++) {
        int64_t status;
        if (i == STATE_FIELD && !str_is(field, "Z") && !str_is(field, "X"))
            return false;
        if (i == EXIT_CODE_FIELD && str_to_i64(field, &status)) {
            *ret = (int)status;
            return true;
        }
    }
    return false;
}

bool aftercare_status(const struct pidref *p, int *ret)
{
    /* Its parent may fetch it between one and the other. */
    return status_of_zombie(p, ret) || status_of_pidfd(p, ret);
}

/* ---- the OOM killer ---- */

static bool oom_kills(const struct cgroup *c, uint64_t *ret)
{
    return cgroup_value(c, c->v2 ? "memory.events" : "memory.oom_control", "oom_kill", ret);
}

/* Has one of them counted more since? Version 2 counts for the groups above, too: they are asked when the group itself
 * is gone. */
static bool oom_killed(const struct aftercare *a)
{
    if (!a->group)
        return false;
    struct cgroup at = *a->group;
    for (unsigned i = 0; i < AFTERCARE_GROUPS; i++) {
        uint64_t now;
        if (oom_kills(&at, &now))
            return now > a->kills[i];
        if (!cgroup_up(&at))
            return false;
    }
    return false;
}

static void count_kills(struct aftercare *a)
{
    struct cgroup at = *a->group;
    for (unsigned i = 0; i < AFTERCARE_GROUPS; i++) {
        a->kills[i] = 0;
        (void)!oom_kills(&at, &a->kills[i]);
        if (!cgroup_up(&at))
            return;
    }
}

/* ---- the watch ---- */

void aftercare_begin(struct aftercare *a, const struct pidref *p, int64_t now_ns)
{
    a->since_ns = now_ns;
    if (!a->group)
        a->group = xcalloc(1, sizeof *a->group);
    if (cgroup_of(p, a->group, NULL) == 0)
        count_kills(a);
    else
        free(TAKE_PTR(a->group));
}

void aftercare_done(struct aftercare *a)
{
    free(TAKE_PTR(a->group));
    if (a->has_socket)
        close(a->socket);
    a->has_socket = false;
}

void aftercare_keep_socket(struct aftercare *a, int fd)
{
    if (fd < 0)
        return;
    if (a->has_socket)
        close(a->socket);
    a->has_socket = true;
    a->socket = fd;
}

/* It ended in order, for it cleaned up. */
static bool removed_its_socket(const struct aftercare *a)
{
    struct stat st;
    return a->has_socket && fstat(a->socket, &st) == 0 && st.st_nlink == 0;
}

void aftercare_drop(struct aftercare *a)
{
    a->since_ns = 0;
    aftercare_done(a);
}

static enum jvm_end end_of(const struct aftercare *a, int status, int *signal)
{
    *signal = WIFSIGNALED(status) ? WTERMSIG(status) : 0;
    switch (*signal) {
    case SIGKILL:
        return oom_killed(a) ? JVM_END_OOM : JVM_END_KILLED;
    case SIGSEGV:
    case SIGBUS:
    case SIGILL:
    case SIGFPE:
    case SIGABRT:
    case SIGTRAP:
    case SIGSYS:
    case SIGQUIT: /* no handler for it: the one we sent */
        return JVM_END_FAULT;
    default:
        return JVM_END_SELF;
    }
}

void aftercare_ended(struct aftercare *a, const struct pidref *p, int64_t now_ns)
{
    int status;
    if (!a->since_ns || a->ended_ns)
        return;
    a->ended_ns = now_ns;
    if (aftercare_status(p, &status))
        a->end = end_of(a, status, &a->signal);
    else
        a->end = oom_killed(a) ? JVM_END_OOM : removed_its_socket(a) ? JVM_END_SELF : JVM_END_UNKNOWN;
    aftercare_done(a);
}

void aftercare_poll(struct aftercare *a, struct quarantine *q, int64_t now_ns)
{
    if (!a->since_ns || a->ended_ns || now_ns - a->since_ns < AFTERCARE_S * NS_PER_SEC)
        return;
    a->since_ns = 0;
    aftercare_done(a);
    if (q)
        quarantine_lived(q, &a->makeup);
}

bool aftercare_judge(struct aftercare *a, struct quarantine *q, char *text, size_t size)
{
    const int64_t after = a->ended_ns - a->since_ns;
    text[0] = '\0';
    if (!a->since_ns || !a->ended_ns || after >= AFTERCARE_S * NS_PER_SEC)
        return false;
    char how[48] = "ended";
    if (a->end == JVM_END_OOM)
        snprintf(how, sizeof how, "OOM-killed");
    else if (a->signal)
        snprintf(how, sizeof how, "killed by SIG%s", sigabbrev_np(a->signal) ? sigabbrev_np(a->signal) : "?");
    if (a->end != JVM_END_SELF && after < NS_PER_SEC / 10)
        snprintf(text, size, "%s at the attach", how);
    else if (a->end != JVM_END_SELF)
        snprintf(text, size, "%s %.1f s after the attach", how, (double)after / 1e9);
    return q && quarantine_died(q, &a->makeup, a->end, text);
}
