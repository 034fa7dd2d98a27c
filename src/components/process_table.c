#include "components/process_table.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "base/mem.h"
#include "jvm/operation/scan.h"

enum {
    YOUNG_S = 300,    /* a wrapper script is done with its preparations by then */
    COMPARE_STEP = 8, /* older processes compared per poll */
    FRESH_POLLS = 15, /* a process is compared that often after it appeared; most are gone by then */
    ENDED_POLLS = 5,  /* looks until the end of a process is worth reading the list for, if none has started */
    /* A starting JVM has at least this many threads: main, GC, VM, compilers, reference handler, finalizer, signal
     * dispatcher … */
    JVM_THREADS_LEAST = 8,
};

struct process *process_table_find(const struct process_table *t, pid_t pid)
{
    size_t lo = 0, hi = t->len;
    while (lo < hi) {
        const size_t mid = lo + (hi - lo) / 2;
        if (t->items[mid].pid == pid)
            return &t->items[mid];
        if (t->items[mid].pid < pid)
            lo = mid + 1;
        else
            hi = mid;
    }
    return NULL;
}

static void process_table_want(struct process *p, enum process_read what)
{
    if (p->pending < what)
        p->pending = what;
}

static void process_table_forget(struct process *p, struct process_poll *poll)
{
    poll->lost |= p->labels != NULL;
    poll->lost_java |= p->labels && p->is_java;
    labels_unref(p->labels);
}

/* The CPU time is taken before the read, so that what the process does during it counts as a change. */
static void process_table_want_all(struct process *p, unsigned full_scans)
{
    const uint64_t cpu_ns = procfs_cpu_ns(p->pid);
    const bool same = p->complete && cpu_ns && cpu_ns == p->cpu_ns;
    if (same && ((unsigned)p->pid + full_scans) % PROCESS_REREAD_EVERY)
        return;
    p->cpu_ns = cpu_ns;
    p->complete = false;
    process_table_want(p, READ_ALL);
}

/* Its PID may be that of another process by now. */
static void process_table_doubt(struct process *p, uint64_t inode)
{
    p->inode = inode;
    p->complete = p->settled = p->user_known = false;
    p->fresh = FRESH_POLLS;
}

/* Both lists ascend: one pass keeps what is in both, drops what is not in `pids` and adds what is only there. */
static void process_table_merge(struct process_table *t, const struct procfs_pid *pids, size_t n, bool all,
                                struct process_poll *poll)
{
    struct process *items = xcalloc(n ? n : 1, sizeof *items);
    size_t old = 0;
    for (size_t i = 0; i < n; i++) {
        for (; old < t->len && t->items[old].pid < pids[i].pid; old++)
            process_table_forget(&t->items[old], poll);
        if (old < t->len && t->items[old].pid == pids[i].pid)
            items[i] = t->items[old++];
        else
            items[i] = (struct process){.pid = pids[i].pid, .inode = pids[i].inode, .fresh = FRESH_POLLS};
        if (items[i].inode != pids[i].inode)
            process_table_doubt(&items[i], pids[i].inode);
        if (all)
            process_table_want_all(&items[i], t->full_scans);
    }
    for (; old < t->len; old++)
        process_table_forget(&t->items[old], poll);
    t->full_scans += all;
    free(t->items);
    t->items = items;
    t->len = n;
}

/* A closer look is for what may be a JVM; the others are remembered, so that a change shows. */
static void process_table_compare(struct process *p)
{
    struct procfs_stat s;
    if (p->settled || p->stuck || p->pending || p->reading || procfs_stat(p->pid, &s, NULL) < 0)
        return;
    p->settled = s.kernel_thread;
    const uint32_t program = jvm_program_of(&s);
    if (s.kernel_thread || (s.start_time == p->start_time && program == p->program))
        return;
    if (s.vsize >= (uint64_t)JVM_LEAST_VSIZE || p->labels) {
        process_table_want(p, READ_IF_JAVA);
        return;
    }
    p->start_time = s.start_time;
    p->program = program;
}

/* Those that appeared some looks ago: on a busy machine a JVM can take that long to set itself up, its threads too few
 * at a time to stand out. */
static void compare_fresh(struct process_table *t)
{
    for (size_t i = 0; i < t->len; i++) {
        if (!t->items[i].fresh)
            continue;
        t->items[i].fresh--;
        process_table_compare(&t->items[i]);
    }
}

static bool process_table_young(const struct process *p, uint64_t now_ticks, uint64_t young_ticks)
{
    return p->start_time + young_ticks > now_ticks;
}

static void compare_some(struct process_table *t, bool young_ones)
{
    const uint64_t hz = (uint64_t)sysconf(_SC_CLK_TCK), now = (uint64_t)(clock_boot_ns() / NS_PER_SEC) * hz;
    for (size_t i = 0; young_ones && i < t->len; i++)
        if (process_table_young(&t->items[i], now, YOUNG_S * hz))
            process_table_compare(&t->items[i]);
    for (unsigned step = 0; t->to_compare && step < COMPARE_STEP; t->to_compare--) {
        if (t->compared >= t->len)
            t->compared = 0;
        struct process *p = &t->items[t->compared++];
        if (p->settled || process_table_young(p, now, YOUNG_S * hz))
            continue;
        process_table_compare(p);
        step++;
    }
}

/* Whether a JVM may have started since the last poll or, for a start that falls between two polls, the one before. */
static bool many_started(struct process_table *t, const struct procfs_load *load)
{
    const unsigned started = load->last_pid - t->load.last_pid; /* a wrap-around counts as many */
    const unsigned before = t->started;
    t->started = started < JVM_THREADS_LEAST ? started : JVM_THREADS_LEAST;
    return t->started + before >= JVM_THREADS_LEAST;
}

int process_table_poll(struct process_table *t, bool all, struct process_poll *ret, struct err *err)
{
    struct process_poll poll = {0};
    struct procfs_load load;
    int code = procfs_load(&load, err);
    if (code < 0)
        return code;
    const bool started = load.last_pid != t->load.last_pid, ended = load.tasks != t->load.tasks;
    const bool many = many_started(t, &load);
    const bool list = all || started || (ended && ++t->put_off >= ENDED_POLLS);
    if (list) {
        cleanup_free struct procfs_pid *pids = NULL;
        size_t n = 0;
        if ((code = procfs_pids(&pids, &n, err)) < 0)
            return code;
        process_table_merge(t, pids, n, all, &poll);
        t->load = load;
        t->put_off = 0;
        compare_fresh(t);
    }
    if (many)
        t->to_compare = t->len;
    if (!all && t->to_compare)
        compare_some(t, many);
    poll.changed = list || t->to_compare;
    *ret = poll;
    return 0;
}

void process_table_done(struct process_table *t)
{
    for (size_t i = 0; i < t->len; i++)
        labels_unref(t->items[i].labels);
    free(t->items);
    *t = (struct process_table){0};
}
