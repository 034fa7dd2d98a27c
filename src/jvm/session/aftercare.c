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
#include "jvm/session/retry.h"

bool aftercare_status(const struct pidref *p, int *ret)
{
    return exit_status_of(p, ret);
}

/* ---- the OOM killer ---- */

/* From here on a limit is none (jvm/probe/headroom.c). */
static const uint64_t UNLIMITED = (uint64_t)1 << 60;

enum oom { OOM_NONE, OOM_OWN, OOM_HOST };

static bool oom_limited(const struct cgroup *c)
{
    uint64_t limit;
    return cgroup_number(c, c->v2 ? "memory.max" : "memory.limit_in_bytes", &limit) && limit < UNLIMITED;
}

static bool oom_kills(const struct cgroup *c, uint64_t *ret)
{
    return cgroup_value(c, c->v2 ? "memory.events" : "memory.oom_control", "oom_kill", ret);
}

static bool oom_hits(const struct cgroup *c, uint64_t *ret)
{
    return c->v2 ? cgroup_value(c, "memory.events", "oom", ret) : cgroup_number(c, "memory.failcnt", ret);
}

static void aftercare_group_done(struct aftercare_group *g)
{
    free(g->path);
    *g = (struct aftercare_group){0};
}

static void aftercare_group_begin(struct aftercare_group *g, const struct pidref *p)
{
    struct cgroup at;
    aftercare_group_done(g);
    if (cgroup_of(p, &at, NULL) < 0)
        return;
    g->path = xstrdup(at.path);
    g->mount_len = at.mount_len;
    g->v2 = at.v2;
    (void)!oom_kills(&at, &g->kills);
    g->limited = oom_limited(&at);
    if (!g->limited && cgroup_up(&at))
        g->limited = g->of_parent = oom_limited(&at);
    if (g->limited)
        (void)!oom_hits(&at, &g->hits);
}

/* Has its group counted a kill since, and was it at its own limit? A group that is gone by now tells nothing. */
static enum oom aftercare_count_oom(const struct aftercare_group *g)
{
    struct cgroup at = {.v2 = g->v2, .mount_len = g->mount_len};
    uint64_t kills, hits;
    if (!g->path || snprintf(at.path, sizeof at.path, "%s", g->path) < 0 || !oom_kills(&at, &kills) ||
        kills <= g->kills)
        return OOM_NONE;
    if (!g->limited || (g->of_parent && !cgroup_up(&at)))
        return OOM_HOST;
    return oom_hits(&at, &hits) && hits > g->hits ? OOM_OWN : OOM_HOST;
}

static enum oom aftercare_oom(struct aftercare_group *g)
{
    if (!g->looked)
        g->oom = aftercare_count_oom(g);
    g->looked = true;
    return (enum oom)g->oom;
}

/* ---- the watch ---- */

void aftercare_begin(struct aftercare *a, const struct pidref *p, int64_t now_ns)
{
    a->since_ns = now_ns;
    aftercare_group_begin(&a->group, p);
}

static void aftercare_drop_socket(struct aftercare *a)
{
    if (a->has_socket)
        close(a->socket);
    a->has_socket = false;
}

static void aftercare_drop_place(struct aftercare *a)
{
    if (a->has_place)
        close(a->dir);
    a->has_place = false;
    free(TAKE_PTR(a->place));
}

void aftercare_done(struct aftercare *a)
{
    aftercare_group_done(&a->group);
    aftercare_drop_socket(a);
    aftercare_drop_place(a);
}

void aftercare_keep_socket(struct aftercare *a, int fd)
{
    if (fd < 0)
        return;
    aftercare_drop_socket(a);
    a->has_socket = true;
    a->socket = fd;
}

void aftercare_keep_place(struct aftercare *a, int dir, const struct hs_err_place *place)
{
    if (dir < 0)
        return;
    aftercare_drop_place(a);
    a->has_place = true;
    a->dir = dir;
    a->place = xcalloc(1, sizeof *a->place);
    *a->place = *place;
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
    if (!a->attached)
        aftercare_done(a);
}

static enum jvm_end end_of(struct aftercare *a, int status, int *signal)
{
    *signal = WIFSIGNALED(status) ? WTERMSIG(status) : 0;
    enum oom oom;
    switch (*signal) {
    case SIGKILL:
        oom = aftercare_oom(&a->group);
        return oom == OOM_OWN ? JVM_END_OOM : oom == OOM_HOST ? JVM_END_OOM_HOST : JVM_END_KILLED;
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

/* Nobody tells its status. */
static enum jvm_end end_by_traces(struct aftercare *a)
{
    const enum oom oom = aftercare_oom(&a->group);
    if (removed_its_socket(a))
        return JVM_END_SELF;
    return oom == OOM_OWN ? JVM_END_OOM : oom == OOM_HOST ? JVM_END_OOM_HOST : JVM_END_UNKNOWN;
}

/* May more be known about its end than its status? */
static bool aftercare_is_open(const struct aftercare *a)
{
    if (!a->ended_ns || (!a->since_ns && !a->attached))
        return false;
    /* HotSpot without core dumps exits with status 1 when it has crashed (os_posix.cpp, os::abort); the other statuses
     * are those of a shutdown by SIGHUP, SIGINT and SIGTERM. */
    const int code = a->end == JVM_END_SELF && WIFEXITED(a->status) ? WEXITSTATUS(a->status) : 0;
    return a->end != JVM_END_SELF ||
           (code != 0 && code != 128 + SIGHUP && code != 128 + SIGINT && code != 128 + SIGTERM);
}

void aftercare_look(struct aftercare *a)
{
    (void)aftercare_oom(&a->group);
}

void aftercare_ended(struct aftercare *a, const struct pidref *p, int64_t now_ns)
{
    if ((!a->since_ns && !a->attached) || a->ended_ns)
        return;
    a->ended_ns = now_ns;
    if (a->status_known || aftercare_status(p, &a->status))
        a->end = end_of(a, a->status, &a->signal);
    else
        a->end = end_by_traces(a);
    aftercare_drop_socket(a);
    /* Not longer than needed: it may lie in a container that is being removed. */
    if (!aftercare_is_open(a))
        aftercare_drop_place(a);
}

static void aftercare_told(void *arg, const struct jvm_crash *found)
{
    struct aftercare *a = arg;
    a->asking = false;
    a->found = *found;
    a->told(a->arg);
}

bool aftercare_ask(struct aftercare *a, struct priv *priv, struct jvm_id id, uint64_t user, void (*told)(void *arg),
                   void *arg)
{
    static const struct hs_err_place nowhere;
    if (a->asked || !aftercare_is_open(a))
        return a->asking;
    const struct jvm_crash_request r = {.user = user,
                                        .pid = id.pid,
                                        .age_ns = jvm_age_ns(id.start_time),
                                        .place = a->place ? a->place : &nowhere,
                                        .dir = a->has_place ? a->dir : -1};
    a->asked = a->asking = true;
    a->told = told;
    a->arg = arg;
    a->call = jvm_read_crash(priv, &r, aftercare_told, a);
    return true;
}

void aftercare_forget(struct aftercare *a, struct priv *priv)
{
    if (a->asking)
        priv_forget(priv, a->call);
    a->asking = false;
}

void aftercare_status_told(struct aftercare *a, int status)
{
    a->status_known = true;
    a->status = status;
    if (a->ended_ns && a->end == JVM_END_UNKNOWN)
        a->end = end_of(a, status, &a->signal);
}

void aftercare_poll(struct aftercare *a, struct quarantine *q, int64_t now_ns)
{
    if (!a->since_ns || a->ended_ns || now_ns - a->since_ns < AFTERCARE_S * NS_PER_SEC)
        return;
    a->since_ns = 0;
    a->attached = true;
    aftercare_drop_socket(a);
    if (q)
        quarantine_lived(q, &a->makeup);
}

bool aftercare_judge(struct aftercare *a, struct quarantine *q, enum crash_guard guard, struct verdict *ret)
{
    *ret = (struct verdict){0};
    if (!a->ended_ns || (!a->since_ns && !a->attached))
        return false;
    struct jvm_death d = {.end = a->end, .signal = a->signal, .after_ns = -1, .found = a->found};
    d.limited = a->group.limited;
    d.tight = a->tight;
    if (a->since_ns && a->ended_ns - a->since_ns < AFTERCARE_S * NS_PER_SEC)
        d.after_ns = a->ended_ns - a->since_ns;
    verdict_of(&d, guard, ret);
    verdict_count(ret);
    if (!q || guard == CRASH_GUARD_OFF)
        return false;
    if (ret->stop)
        return quarantine_died(q, &a->makeup, JVM_END_FAULT, ret->text);
    /* Soon after an attach every end tells something. */
    return d.after_ns >= 0 && ret->kind != VERDICT_UNRELATED && quarantine_died(q, &a->makeup, ret->end, ret->text);
}
