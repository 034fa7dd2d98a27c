#include "jvm/session/quarantine.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <time.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "base/mem.h"
#include "base/work.h"

/* The file is looked at this often at most. Make-ups known to be fine; a forgotten one is only suspected sooner. */
enum { POLL_MS = 2000, FINE_MAX = 256 };

/* One change on its way to the file. */
struct change {
    bool remove;
    struct quarantine_entry entry;
};

struct changes {
    struct change *items; /* owned */
    size_t len, cap;
};

struct quarantine_job;
struct quarantine {
    uv_loop_t *loop;
    char *dir, *file; /* owned; "" = in memory only */
    void (*problem)(void *arg, const char *text);
    void *arg;
    struct quarantine_list list;
    struct changes wanted;      /* not yet with a worker */
    struct quarantine_job *job; /* what a worker writes now */
    struct stat seen;           /* the file as it was read */
    int64_t polled_ms;
    char fine[FINE_MAX][MAKEUP_KEY_SIZE]; /* a ring */
    size_t fine_next;
    unsigned version; /* of the list */
    struct buf keys;
};

struct quarantine_job {
    uv_work_t work;
    struct quarantine *owner; /* NULL: nobody waits for it */
    char *dir;
    struct changes changes;
    int code;
    struct err err;
};

/* ---- the file ---- */

static bool quarantine_apply(void *arg, struct quarantine_list *l)
{
    const struct changes *c = arg;
    for (size_t i = 0; i < c->len; i++) {
        struct quarantine_entry *old = quarantine_list_find(l, c->items[i].entry.makeup.key);
        if (!c->items[i].remove)
            quarantine_list_put(l, &c->items[i].entry);
        else if (old)
            quarantine_list_remove(l, (size_t)(old - l->items));
    }
    return true;
}

static void quarantine_work(uv_work_t *w)
{
    struct quarantine_job *j = w->data;
    j->code = quarantine_edit(j->dir, quarantine_apply, &j->changes, &j->err);
}

static void quarantine_flush(struct quarantine *q);

static void quarantine_worked(uv_work_t *w, int status)
{
    struct quarantine_job *j = w->data;
    struct quarantine *q = j->owner;
    if (q) {
        q->job = NULL;
        if (status == 0 && j->code < 0)
            q->problem(q->arg, j->err.text);
        quarantine_flush(q);
    }
    free(j->dir);
    free(j->changes.items);
    free(j);
}

static void quarantine_flush(struct quarantine *q)
{
    if (q->job || q->wanted.len == 0)
        return;
    struct quarantine_job *j = xcalloc(1, sizeof *j);
    j->owner = q;
    j->dir = xstrdup(q->dir);
    j->changes = q->wanted;
    j->work.data = j;
    q->wanted = (struct changes){0};
    work_queue(q->loop, &j->work, quarantine_work, quarantine_worked);
    q->job = j;
}

static void quarantine_change(struct quarantine *q, const struct quarantine_entry *e, bool remove)
{
    if (!*q->dir)
        return;
    xgrow(&q->wanted.items, &q->wanted.cap, q->wanted.len + 1, sizeof *q->wanted.items);
    q->wanted.items[q->wanted.len++] = (struct change){remove, *e};
    quarantine_flush(q);
}

static bool same_file(const struct stat *a, const struct stat *b)
{
    return a->st_ino == b->st_ino && a->st_size == b->st_size && a->st_mtim.tv_sec == b->st_mtim.tv_sec &&
           a->st_mtim.tv_nsec == b->st_mtim.tv_nsec;
}

/* What others did to the file, once what we want to do to it is done. */
static void quarantine_poll(struct quarantine *q)
{
    struct stat st = {0};
    if (!*q->dir || q->job || q->wanted.len || clock_ms() < q->polled_ms + POLL_MS)
        return;
    q->polled_ms = clock_ms();
    if (stat(q->file, &st) < 0)
        st = (struct stat){0};
    if (same_file(&st, &q->seen))
        return;
    cleanup_quarantine_list struct quarantine_list l = QUARANTINE_LIST_INIT;
    struct err err = {0};
    q->seen = st;
    if (quarantine_load(q->dir, &l, &err) < 0) {
        q->problem(q->arg, err.text);
        return;
    }
    struct quarantine_list old = q->list;
    q->list = l;
    l = old;
    q->version++;
}

/* ---- what is known ---- */

struct quarantine *quarantine_new(uv_loop_t *loop, const char *dir, void (*problem)(void *arg, const char *text),
                                  void *arg)
{
    struct quarantine *q = xcalloc(1, sizeof *q);
    q->loop = loop;
    q->dir = xstrdup(dir ? dir : "");
    q->file = xasprintf("%s/quarantine", q->dir);
    q->problem = problem;
    q->arg = arg;
    q->polled_ms = INT64_MIN / 2;
    q->keys = BUF_INIT(QUARANTINE_MAX * MAKEUP_KEY_SIZE);
    return q;
}

void quarantine_free(struct quarantine *q)
{
    if (!q)
        return;
    if (q->job)
        q->job->owner = NULL;
    quarantine_list_done(&q->list);
    free(q->wanted.items);
    buf_done(&q->keys);
    free(q->dir);
    free(q->file);
    free(q);
}

const char *quarantine_keys(struct quarantine *q)
{
    quarantine_poll(q);
    buf_reset(&q->keys);
    for (size_t i = 0; i < q->list.len; i++)
        if (q->list.items[i].strikes >= QUARANTINE_STRIKES)
            buf_printf(&q->keys, "%s%s", q->keys.len ? " " : "", q->list.items[i].makeup.key);
    return buf_cstr(&q->keys);
}

unsigned quarantine_version(struct quarantine *q)
{
    quarantine_poll(q);
    return q->version;
}

bool quarantine_reason(struct quarantine *q, const char *key, char *text, size_t size)
{
    quarantine_poll(q);
    const struct quarantine_entry *e = quarantine_list_find(&q->list, key);
    if (!e || e->strikes < QUARANTINE_STRIKES)
        return false;
    const struct jvm_makeup *m = &e->makeup;
    snprintf(text, size,
             "a JVM like this one (%s%s%s) was %s; quarantined until 'smolder forgive' or retry_crashed = true",
             m->main[0] ? m->main : m->exe, m->build[0] ? ", " : "", m->build, e->why);
    return true;
}

static bool is_fine(const struct quarantine *q, const char *key)
{
    for (size_t i = 0; i < FINE_MAX; i++)
        if (strcmp(q->fine[i], key) == 0)
            return true;
    return false;
}

/* Strikes that did not condemn it are forgotten. */
static void note_fine(struct quarantine *q, const struct jvm_makeup *m)
{
    struct quarantine_entry *e = quarantine_list_find(&q->list, m->key);
    if (!is_fine(q, m->key))
        memcpy(q->fine[q->fine_next++ % FINE_MAX], m->key, sizeof m->key);
    if (!e || e->strikes >= QUARANTINE_STRIKES)
        return;
    quarantine_change(q, e, true);
    quarantine_list_remove(&q->list, (size_t)(e - q->list.items));
}

bool quarantine_is_sure(struct quarantine *q, const char *key)
{
    const struct quarantine_entry *e = quarantine_list_find(&q->list, key);
    return e && e->strikes >= QUARANTINE_SURE;
}

bool quarantine_died(struct quarantine *q, const struct jvm_makeup *m, enum jvm_end end, const char *why)
{
    if (!m->key[0])
        return false;
    if (end == JVM_END_SELF)
        note_fine(q, m);
    const bool sure = end == JVM_END_FAULT || end == JVM_END_OOM, killed = sure || end == JVM_END_KILLED;
    const struct quarantine_entry *old = quarantine_list_find(&q->list, m->key);
    if (end == JVM_END_SELF || end == JVM_END_OOM_HOST || (!sure && is_fine(q, m->key)) ||
        (old && old->strikes >= (sure ? QUARANTINE_SURE : QUARANTINE_STRIKES)))
        return false;
    struct quarantine_entry e = {.makeup = *m, .strikes = old ? old->strikes + 1 : 1};
    if (killed)
        e.strikes = sure ? QUARANTINE_SURE : QUARANTINE_STRIKES;
    e.when_s = time(NULL);
    jvm_printable(str_of(why), e.why, sizeof e.why);
    quarantine_list_put(&q->list, &e);
    q->version++;
    quarantine_change(q, &e, false);
    return e.strikes >= QUARANTINE_STRIKES;
}

void quarantine_lived(struct quarantine *q, const struct jvm_makeup *m)
{
    if (m->key[0])
        note_fine(q, m);
}
