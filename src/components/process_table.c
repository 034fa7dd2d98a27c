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

/* --- the look, without the table --- */

/* What the table knows of a process that concerns the look. */
struct process_known {
    pid_t pid;
    uint64_t inode;
    bool is_compared;
};

struct process_found {
    pid_t pid;
    uint64_t inode;
    uint64_t cpu_ns; /* in a look for all */
    bool is_compared, is_kernel_thread;
    uint32_t program;
    uint64_t start_time, vsize;
};

struct process_look {
    bool all, lists; /* lists: the processes, and does not only compare some */
    struct procfs_load load;
    struct process_known *known; /* by ascending pid; owned */
    size_t known_len;
    struct process_found *found; /* by ascending pid; owned */
    size_t found_len;
    int code;
    struct err err;
};

static void process_look_compare(struct process_found *f)
{
    struct procfs_stat s;
    if (procfs_stat(f->pid, &s, NULL) < 0)
        return;
    f->is_compared = true;
    f->is_kernel_thread = s.kernel_thread;
    f->program = jvm_program_of(&s);
    f->start_time = s.start_time;
    f->vsize = s.vsize;
}

/* The CPU time is taken before the read that may follow, so that what the process does during it counts as a change.
 * What is new is compared, unless all is read anyway. */
static void process_look_at(struct process_look *l, const struct procfs_pid *pid, const struct process_known *known)
{
    struct process_found *f = &l->found[l->found_len++];
    *f = (struct process_found){.pid = pid->pid, .inode = pid->inode};
    if (l->all)
        f->cpu_ns = procfs_cpu_ns(pid->pid);
    const bool is_new = !known || known->inode != pid->inode;
    if (is_new ? !l->all : known->is_compared)
        process_look_compare(f);
}

static void process_look_list(struct process_look *l)
{
    cleanup_free struct procfs_pid *pids = NULL;
    size_t n = 0, old = 0;
    l->code = procfs_pids(&pids, &n, &l->err);
    if (l->code < 0)
        return;
    l->found = xcalloc(n ? n : 1, sizeof *l->found);
    for (size_t i = 0; i < n; i++) {
        while (old < l->known_len && l->known[old].pid < pids[i].pid)
            old++;
        const bool is_known = old < l->known_len && l->known[old].pid == pids[i].pid;
        process_look_at(l, &pids[i], is_known ? &l->known[old] : NULL);
    }
}

void process_look_run(struct process_look *l)
{
    if (l->lists) {
        process_look_list(l);
        return;
    }
    l->found = xcalloc(l->known_len ? l->known_len : 1, sizeof *l->found);
    for (size_t i = 0; i < l->known_len; i++) {
        const struct procfs_pid pid = {l->known[i].pid, l->known[i].inode};
        if (l->known[i].is_compared)
            process_look_at(l, &pid, &l->known[i]);
    }
}

void process_look_free(struct process_look *l)
{
    if (!l)
        return;
    free(l->known);
    free(l->found);
    free(l);
}

/* --- what to compare --- */

static bool process_table_young(const struct process *p, uint64_t now_ticks, uint64_t young_ticks)
{
    return p->start_time + young_ticks > now_ticks;
}

static bool process_table_comparable(const struct process *p)
{
    return !p->settled && !p->stuck && !p->pending && !p->reading;
}

/* Those that appeared some looks ago: on a busy machine a JVM can take that long to set itself up, its threads too few
 * at a time to stand out. Not what was old when the table began. */
static bool process_table_starts(const struct process *p, bool is_young)
{
    return p->fresh && (p->start_time == 0 || is_young);
}

/* A few of the older ones, in turns. */
static void process_table_choose_older(struct process_table *t, struct process_known *known, uint64_t now,
                                       uint64_t young)
{
    for (unsigned step = 0; t->to_compare && step < COMPARE_STEP; t->to_compare--) {
        if (t->compared >= t->len)
            t->compared = 0;
        const size_t i = t->compared++;
        const struct process *p = &t->items[i];
        if (p->settled || process_table_young(p, now, young))
            continue;
        known[i].is_compared = process_table_comparable(p);
        step++;
    }
}

/* `many`: a JVM may have started. */
static void process_table_choose(struct process_table *t, struct process_look *l, bool many)
{
    const uint64_t hz = (uint64_t)sysconf(_SC_CLK_TCK), now = (uint64_t)(clock_boot_ns() / NS_PER_SEC) * hz;
    const uint64_t young = YOUNG_S * hz;
    l->known = xcalloc(t->len ? t->len : 1, sizeof *l->known);
    l->known_len = t->len;
    for (size_t i = 0; i < t->len; i++) {
        const struct process *p = &t->items[i];
        const bool is_young = process_table_young(p, now, young);
        const bool wanted = (l->lists && process_table_starts(p, is_young)) || (!l->all && many && is_young);
        l->known[i] = (struct process_known){p->pid, p->inode, wanted && process_table_comparable(p)};
    }
    if (!l->all)
        process_table_choose_older(t, l->known, now, young);
}

/* Whether a JVM may have started since the last poll or, for a start that falls between two polls, the one before. */
static bool many_started(struct process_table *t, const struct procfs_load *load)
{
    const unsigned started = load->last_pid - t->load.last_pid; /* a wrap-around counts as many */
    const unsigned before = t->started;
    t->started = started < JVM_THREADS_LEAST ? started : JVM_THREADS_LEAST;
    return t->started + before >= JVM_THREADS_LEAST;
}

int process_look_new(struct process_table *t, bool all, struct process_look **ret, struct err *err)
{
    struct procfs_load load;
    *ret = NULL;
    const int code = procfs_load(&load, err);
    if (code < 0)
        return code;
    const bool started = load.last_pid != t->load.last_pid, ended = load.tasks != t->load.tasks;
    const bool many = many_started(t, &load);
    const bool lists = all || started || (ended && ++t->put_off >= ENDED_POLLS);
    if (many)
        t->to_compare = t->len;
    if (!lists && !t->to_compare)
        return 0;
    struct process_look *l = xcalloc(1, sizeof *l);
    l->all = all;
    l->lists = lists;
    l->load = load;
    process_table_choose(t, l, many);
    *ret = l;
    return 0;
}

/* --- what the table learns --- */

static void process_table_want_all(struct process *p, uint64_t cpu_ns, unsigned full_scans)
{
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

/* A closer look is for what may be a JVM; the others are remembered, so that a change shows. */
static void process_table_compare(struct process *p, const struct process_found *f)
{
    if (!f->is_compared || !process_table_comparable(p))
        return;
    p->settled = f->is_kernel_thread;
    if (f->is_kernel_thread || (f->start_time == p->start_time && f->program == p->program))
        return;
    if (f->vsize >= (uint64_t)JVM_LEAST_VSIZE || p->labels) {
        process_table_want(p, READ_IF_JAVA);
        return;
    }
    p->start_time = f->start_time;
    p->program = f->program;
}

static void process_table_learn(struct process *p, const struct process_look *l, const struct process_found *f,
                                unsigned full_scans)
{
    if (p->inode != f->inode)
        process_table_doubt(p, f->inode);
    if (l->all)
        process_table_want_all(p, f->cpu_ns, full_scans);
    p->fresh -= p->fresh > 0;
    process_table_compare(p, f);
}

/* Both lists ascend: one pass keeps what is in both, drops what was not found and adds what was only found. */
static void process_table_merge(struct process_table *t, const struct process_look *l, struct process_poll *poll)
{
    struct process *items = xcalloc(l->found_len ? l->found_len : 1, sizeof *items);
    size_t old = 0;
    for (size_t i = 0; i < l->found_len; i++) {
        const struct process_found *f = &l->found[i];
        for (; old < t->len && t->items[old].pid < f->pid; old++)
            process_table_forget(&t->items[old], poll);
        if (old < t->len && t->items[old].pid == f->pid)
            items[i] = t->items[old++];
        else
            items[i] = (struct process){.pid = f->pid, .inode = f->inode, .fresh = FRESH_POLLS};
        process_table_learn(&items[i], l, f, t->full_scans);
    }
    for (; old < t->len; old++)
        process_table_forget(&t->items[old], poll);
    t->full_scans += l->all;
    free(t->items);
    t->items = items;
    t->len = l->found_len;
}

int process_look_take(struct process_look *l, struct process_table *t, struct process_poll *ret, struct err *err)
{
    struct process_poll poll = {.changed = true};
    const int code = l->code;
    if (code < 0) {
        err_set(err, code, "%s", l->err.text);
        process_look_free(l);
        return code;
    }
    if (l->lists) {
        process_table_merge(t, l, &poll);
        t->load = l->load;
        t->put_off = 0;
    }
    for (size_t i = 0; !l->lists && i < l->found_len; i++) {
        struct process *p = process_table_find(t, l->found[i].pid);
        if (p)
            process_table_compare(p, &l->found[i]);
    }
    process_look_free(l);
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
