#include "jvm/session/aftercare.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "base/mem.h"
#include "jvm/probe/exit_status.h"

bool aftercare_status(const struct pidref *p, int *ret)
{
    return exit_status_of(p, ret);
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
    if (a->told ? (status = a->status, true) : aftercare_status(p, &status))
        a->end = end_of(a, status, &a->signal);
    else
        a->end = oom_killed(a) ? JVM_END_OOM : removed_its_socket(a) ? JVM_END_SELF : JVM_END_UNKNOWN;
    aftercare_done(a);
}

void aftercare_told(struct aftercare *a, int status)
{
    a->told = true;
    a->status = status;
    if (a->ended_ns && a->end == JVM_END_UNKNOWN)
        a->end = end_of(a, status, &a->signal);
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
