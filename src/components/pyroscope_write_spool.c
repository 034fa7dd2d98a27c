#include "components/pyroscope_write_spool.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "base/list.h"
#include "base/mem.h"
#include "base/metric.h"
#include "base/sha256.h"
#include "base/work.h"

/* Labels and profile of one record in memory; after a failure to open or write, so long until the next attempt; spools
 * of endpoints that are gone are kept for a week. */
enum { RECORD_MAX = 80 << 20, LABELS_MAX = 1 << 20, AGAIN_S = 10, SWEEP_S = 7 * 24 * 3600 };

static struct metric_family spool_bytes = {.name = "smolder_spool_bytes",
                                           .help = "Files of profiles waiting for an endpoint, in bytes.",
                                           .kind = METRIC_GAUGE,
                                           .labels = {"endpoint"}};
static struct metric_family replayed = {.name = "smolder_replayed_profiles_total",
                                        .help = "Profiles read back from the spool of an endpoint.",
                                        .kind = METRIC_COUNTER,
                                        .labels = {"endpoint"}};

enum spooled_state { SPOOLED_STORING, SPOOLED_STORED, SPOOLED_FAILED };

struct spooled {
    struct list node; /* of the stores to come, or of a job */
    enum spooled_state state;
    bool is_written; /* the job's, as is the place, until it ends */
    struct spool_place place;
    bool finished, released; /* by its owner while it was being stored */
    const struct labels *labels;
    struct encoded_profile *profile;
};

struct place_list {
    struct spool_place *items;
    size_t len, cap;
};

struct taken {
    struct spool_entry entry;
    struct buf room;
};

struct spool_job {
    uv_work_t work;
    struct list stores; /* struct spooled */
    struct place_list finished, released;
    size_t take; /* bytes; 0 = nothing */
    struct spool_limits limits;
    struct spool_now now;
    bool closes;
    struct taken *taken;
    size_t taken_len, taken_cap;
    struct err err;
};

struct write_spool {
    uv_loop_t *loop;
    char *path;
    struct spool_limits limits;
    int64_t (*clock_offset_ns)(void);
    struct write_spool_events events;
    void *ctx;
    struct spool_files *files; /* the job's while there is one */
    bool has_looked;           /* for what an earlier agent left */
    int64_t again_ns;          /* after a failure; 0 = none */
    struct spool_job *job;     /* running */
    struct list stores;        /* to come, as the next three */
    struct place_list finished, released;
    size_t take;
    struct spool_counts counts;
    bool closing;
};

static void place_add(struct place_list *l, struct spool_place place)
{
    xgrow(&l->items, &l->cap, l->len + 1, sizeof *l->items);
    l->items[l->len++] = place;
}

static void place_move(struct place_list *to, struct place_list *from)
{
    *to = *from;
    *from = (struct place_list){0};
}

/* --- labels as bytes: for each two lengths and the texts --- */

static void spool_put_text(struct buf *out, struct str s)
{
    const uint32_t n = (uint32_t)s.n;
    buf_append(out, &n, sizeof n);
    buf_str(out, s);
}

static void spool_encode_labels(const struct labels *ls, struct buf *out)
{
    for (size_t i = 0; i < labels_len(ls); i++) {
        spool_put_text(out, labels_at(ls, i)->name);
        spool_put_text(out, labels_at(ls, i)->value);
    }
}

static bool spool_get_text(struct str *rest, struct str *ret)
{
    uint32_t n;
    if (rest->n < sizeof n)
        return false;
    memcpy(&n, rest->p, sizeof n);
    if (n > rest->n - sizeof n)
        return false;
    *ret = (struct str){rest->p + sizeof n, n};
    *rest = (struct str){ret->p + n, rest->n - sizeof n - n};
    return true;
}

static struct labels *spool_decode_labels(struct str bytes)
{
    cleanup_labels_builder struct labels_builder b = LABELS_BUILDER_INIT;
    struct str name, value;
    while (spool_get_text(&bytes, &name) && spool_get_text(&bytes, &value))
        labels_set(&b, name, value);
    return labels_build(&b, false);
}

/* --- in a worker --- */

static int spool_job_open(struct write_spool *s, struct spool_job *j)
{
    if (s->files)
        return 0;
    if (!s->has_looked) {
        cleanup_free char *parent = xstrdup(s->path);
        *strrchr(parent, '/') = '\0';
        spool_files_sweep(parent, SWEEP_S, j->now.wall_ns / NS_PER_SEC);
    }
    const int code = spool_files_open(s->path, !list_empty(&j->stores), &s->files, &j->err);
    if (code == -ENOENT && list_empty(&j->stores))
        j->err = (struct err){0}; /* nothing was left, which is the usual case */
    return code;
}

static void spool_job_store(struct write_spool *s, struct spool_job *j, struct spooled *c)
{
    cleanup_buf struct buf labels = BUF_INIT(LABELS_MAX);
    spool_encode_labels(c->labels, &labels);
    struct spool_entry e = {.samples = c->profile->samples,
                            .time_nanos = c->profile->time_nanos,
                            .duration_nanos = c->profile->duration_nanos,
                            .labels = buf_slice(&labels),
                            .profile = {(const char *)c->profile->pprof, c->profile->len}};
    memcpy(e.id, c->profile->id, sizeof e.id);
    const int code = buf_ok(&labels) ? spool_files_append(s->files, &j->limits, &e, j->now, &c->place, &j->err)
                                     : err_set(&j->err, -E2BIG, "labels too long for the spool");
    c->is_written = code == 0;
}

static void spool_job_take(struct write_spool *s, struct spool_job *j)
{
    for (size_t bytes = 0; bytes < j->take;) {
        struct taken t = {.room = BUF_INIT(RECORD_MAX)};
        if (spool_files_take(s->files, &j->limits, j->now, &t.room, &t.entry) < 0) {
            buf_done(&t.room);
            break;
        }
        bytes += t.entry.profile.n;
        xgrow(&j->taken, &j->taken_cap, j->taken_len + 1, sizeof *j->taken);
        j->taken[j->taken_len++] = t;
    }
}

static void spool_job_run(uv_work_t *work)
{
    struct write_spool *s = work->data;
    struct spool_job *j = s->job;
    if (spool_job_open(s, j) == 0) {
        for (size_t i = 0; i < j->finished.len; i++)
            spool_files_finish(s->files, j->finished.items[i]);
        for (size_t i = 0; i < j->released.len; i++)
            spool_files_give_back(s->files, j->released.items[i]);
        list_each(&j->stores, node) spool_job_store(s, j, list_entry(node, struct spooled, node));
        spool_job_take(s, j);
    }
    if (j->closes) {
        spool_files_close(s->files);
        s->files = NULL;
    }
}

/* --- on the loop --- */

static void spool_settle_store(struct write_spool *s, struct spooled *c)
{
    list_del(&c->node);
    labels_unref((struct labels *)c->labels);
    encoded_profile_unref(c->profile);
    c->labels = NULL;
    c->profile = NULL;
    if (list_empty(&s->job->stores)) /* all that were asked for */
        s->again_ns = c->state == SPOOLED_FAILED ? clock_ns() + AGAIN_S * NS_PER_SEC : 0;
    if (!c->finished && !c->released)
        return;
    if (c->state == SPOOLED_STORED)
        place_add(c->finished ? &s->finished : &s->released, c->place);
    free(c);
}

static void spool_hand_over(struct write_spool *s, struct taken *t)
{
    size_t len = t->entry.profile.n;
    uint8_t *bytes = xmalloc(len + 1);
    memcpy(bytes, t->entry.profile.p, len);
    struct spooled *copy = xcalloc(1, sizeof *copy);
    list_init(&copy->node);
    copy->state = SPOOLED_STORED;
    copy->place = t->entry.place;
    struct encoded_profile *p =
        encoded_profile_new(bytes, len, t->entry.samples, t->entry.time_nanos, t->entry.duration_nanos);
    memcpy(p->id, t->entry.id, sizeof p->id);
    const struct write_spool_entry e = {spool_decode_labels(t->entry.labels), p, copy, t->entry.age_ns};
    s->events.taken(s->ctx, &e);
}

static void spool_job_free(struct spool_job *j)
{
    for (size_t i = 0; i < j->taken_len; i++)
        buf_done(&j->taken[i].room);
    free(j->taken);
    free(j->finished.items);
    free(j->released.items);
    free(j);
}

static void write_spool_start(struct write_spool *s);

static void write_spool_free(struct write_spool *s)
{
    free(s->finished.items);
    free(s->released.items);
    free(s->path);
    free(s);
}

static void spool_job_after(uv_work_t *work, int status)
{
    (void)status; /* it is never cancelled */
    struct write_spool *s = work->data;
    struct spool_job *j = s->job;
    s->has_looked = true;
    if (s->files)
        s->counts = spool_files_counts(s->files);
    list_each(&j->stores, node)
    {
        struct spooled *c = list_entry(node, struct spooled, node);
        c->state = c->is_written ? SPOOLED_STORED : SPOOLED_FAILED;
        spool_settle_store(s, c);
    }
    const bool closed = j->closes;
    s->job = NULL;
    for (size_t i = 0; i < j->taken_len && !s->closing; i++)
        spool_hand_over(s, &j->taken[i]);
    if (!s->closing)
        s->events.changed(s->ctx, j->err.text);
    spool_job_free(j);
    if (closed)
        write_spool_free(s);
    else
        write_spool_start(s);
}

bool write_spool_is_idle(const struct write_spool *s)
{
    return !s->job && list_empty(&s->stores) && !s->finished.len && !s->released.len && !s->take;
}

static void write_spool_start(struct write_spool *s)
{
    if (s->job || (write_spool_is_idle(s) && s->has_looked && !s->closing))
        return;
    struct spool_job *j = s->job = xcalloc(1, sizeof *j);
    const int64_t offset = s->clock_offset_ns ? s->clock_offset_ns() : 0;
    list_init(&j->stores);
    list_each(&s->stores, node)
    {
        list_del(node);
        list_push(&j->stores, node);
    }
    place_move(&j->finished, &s->finished);
    place_move(&j->released, &s->released);
    j->take = s->closing ? 0 : s->take;
    s->take = 0;
    j->limits = s->limits;
    j->now = (struct spool_now){clock_wall_ns() + offset, clock_boot_ns() + offset};
    j->closes = s->closing;
    j->work.data = s;
    work_queue(s->loop, &j->work, spool_job_run, spool_job_after);
}

char *write_spool_path(const char *storage_path, const char *key)
{
    uint8_t hash[SHA256_SIZE];
    char name[17];
    sha256(str_of(key), hash);
    for (size_t i = 0; i < 8; i++)
        snprintf(name + 2 * i, 3, "%02x", hash[i]);
    return xasprintf("%s/spool/%s", storage_path, name);
}

struct write_spool *write_spool_new(uv_loop_t *loop, const char *path, const struct spool_limits *limits,
                                    int64_t (*clock_offset_ns)(void), const struct write_spool_events *events,
                                    void *ctx)
{
    struct write_spool *s = xcalloc(1, sizeof *s);
    *s = (struct write_spool){.loop = loop,
                              .path = xstrdup(path),
                              .limits = *limits,
                              .clock_offset_ns = clock_offset_ns,
                              .events = *events,
                              .ctx = ctx};
    list_init(&s->stores);
    write_spool_start(s);
    return s;
}

void write_spool_limit(struct write_spool *s, const struct spool_limits *limits)
{
    s->limits = *limits;
}

void write_spool_close(struct write_spool *s)
{
    if (!s)
        return;
    s->closing = true;
    write_spool_start(s);
}

struct spooled *write_spool_store(struct write_spool *s, const struct labels *labels, struct encoded_profile *p)
{
    struct spooled *c = xcalloc(1, sizeof *c);
    list_init(&c->node);
    if (s->again_ns && clock_ns() < s->again_ns) {
        c->state = SPOOLED_FAILED;
        return c;
    }
    c->labels = labels_ref(labels);
    c->profile = encoded_profile_ref(p);
    list_push(&s->stores, &c->node);
    write_spool_start(s);
    return c;
}

bool write_spool_is_stored(const struct spooled *c)
{
    return c->state == SPOOLED_STORED;
}

bool write_spool_has_failed(const struct spooled *c)
{
    return c->state == SPOOLED_FAILED;
}

static void write_spool_leave(struct write_spool *s, struct spooled *c, struct place_list *to)
{
    if (c->state == SPOOLED_STORING) {
        c->finished = to == &s->finished;
        c->released = !c->finished;
        return;
    }
    if (c->state == SPOOLED_STORED)
        place_add(to, c->place);
    free(c);
    write_spool_start(s);
}

void write_spool_finish(struct write_spool *s, struct spooled *copy)
{
    write_spool_leave(s, copy, &s->finished);
}

void write_spool_release(struct write_spool *s, struct spooled *copy)
{
    write_spool_leave(s, copy, &s->released);
}

void write_spool_take(struct write_spool *s, size_t bytes)
{
    s->take = bytes;
    write_spool_start(s);
}

void write_spool_count_replayed(const char *endpoint)
{
    metric_add(&replayed, 1, endpoint);
}

void write_spool_count_bytes(const char *endpoint, size_t before, size_t now)
{
    if (before != now)
        metric_add(&spool_bytes, (double)now - (double)before, endpoint);
}

void write_spool_forget_bytes(const char *endpoint)
{
    if (metric_value(&spool_bytes, endpoint) == 0)
        metric_forget(&spool_bytes, endpoint);
}

struct spool_counts write_spool_counts(const struct write_spool *s)
{
    return s->counts;
}
