#include "store/store.h"

#include <errno.h>
#include <malloc.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "base/mem.h"
#include "base/work.h"
#include "store/aside.h"
#include "store/block_cache.h"
#include "store/compaction.h"
#include "store/db.h"
#include "store/disk_room.h"
#include "store/files.h"
#include "store/ingest.h"
#include "store/metrics.h"
#include "store/reader.h"
#include "store/rescue.h"
#include "store/retention.h"
#include "store/serial_queue.h"

#define DATABASE "store.db"

enum {
    KEEP_SECONDS = 7 * 24 * 3600,
    BATCH_MAX = 64,
    SWEEP_MS = 60 * 1000,
    SWEEP_SOON_MS = 10 * 1000, /* while the disk is full, or nearly */
    SWEEP_FULL_MS = 1000,      /* at least so long between two of them where the disk is full */
    PACK_FIRST_MS = 10 * 1000, /* after the start: what was left by the last one */
    PACK_MS = 5 * 60 * 1000,
    PACK_JOURNAL_BYTES = 32 << 20, /* pushed since the last run, for the next one to begin at once */
    STORE_PUSHES_MAX = 4096,
    RENEW_AGAIN_MS = 60 * 1000, /* at least so long between two databases that turn out damaged */
    TEXT_MAX = 4096,
};
static const int64_t keep_bytes_default = 1024 * 1024 * 1024LL, cache_bytes_default = 16 << 20;

static const char *const store_result_names[] = {
    [STORE_OK] = "ok",     [STORE_INVALID] = "invalid", [STORE_SET_ASIDE] = "set_aside",
    [STORE_BUSY] = "busy", [STORE_DAMAGED] = "damaged", [STORE_FAILED] = "failed"};

struct store {
    uv_loop_t *loop;
    struct parser_pool *parsers;
    char *dir, *path; /* NULL: in memory */
    int lock;         /* of the directory; -1 = not held */
    struct retention keep;
    struct disk_room room; /* the worker's that writes */
    struct store_limits limits;
    struct db write_db, read_db;
    struct serial_queue writes, reads;
    size_t cache_max;
    struct block_cache *cache;    /* the worker's that reads, as what follows */
    struct u64map known;          /* parts that are damaged */
    struct compaction compaction; /* of the job at hand */
    struct rescue rescue;         /* the worker's that writes */
    uv_timer_t sweep, pack, rescue_pause;
    bool rescuing;        /* nothing is packed meanwhile */
    unsigned database;    /* how many took the place of a damaged one */
    bool renewing;        /* another one takes its place */
    int64_t renewed_ms;   /* when it did; 0 = never */
    unsigned queues_held; /* for that */
    uv_work_t renewal;
    struct buf renewal_notice;
    struct err renewal_err;
    bool packing;                   /* a step is under way, or waited for */
    size_t journal_bytes;           /* pushed since the last run began */
    bool pack_told;                 /* that it fails; until it is otherwise */
    struct block_cache_view cached; /* as counted */
    struct store_job *sweeping;     /* at most one waits or runs */
    int64_t full_swept_ms;          /* when room was made on a full disk; 0 = never */
    bool full_told, size_told;      /* until it is otherwise */
    void (*problem)(void *arg, const char *text);
    void *problem_arg;
    void (*measured)(void *arg, int64_t bytes, int64_t oldest_ns);
    bool closing;
    unsigned queues_open, timers_open;
    uv_work_t ending;
    void (*closed)(void *arg);
    void *closed_arg;
};

/* JOB_PACK reads and packs a step (store/compaction.h), JOB_SWAP writes it. JOB_RESCUE is a step of store/rescue.h. */
enum job_kind { JOB_PUSH, JOB_READ, JOB_WRITE, JOB_SWEEP, JOB_PACK, JOB_SWAP, JOB_RESCUE };

struct store_job {
    struct serial_job base;
    struct store *store;
    enum job_kind kind;
    unsigned database; /* that it is for; another one has taken its place since */
    /* push */
    const struct series *series;
    size_t series_count;
    store_pushed *pushed;
    enum store_result result;
    struct err err;
    /* sweep */
    bool disk_full, rescuing, crowded; /* crowded: there is no reserve (store/disk_room.h) */
    struct retention_result swept;
    size_t stored; /* push: bytes of new bodies */
    /* pack and swap */
    struct compaction_step step;
    bool again; /* another step follows */
    int64_t begun_ms, pack_ns;
    struct rescue_step rescue;
    /* of push, read and pack */
    unsigned endings[PARSER_ENDINGS], set_aside;
    unsigned left_out;
    struct err left_which;
    struct block_cache_view cached;
    /* read */
    void (*work)(void *arg, struct store_reader *r);
    void (*done)(void *arg);
    void *arg;
    bool damaged;
};

static struct store_job *store_job_of(struct list *node)
{
    return list_entry(node, struct store_job, base.link);
}

/* ---- in the workers ---- */

static enum store_result store_result_of(int code)
{
    switch (code) {
    case 0:
        return STORE_OK;
    case -EINVAL:
        return STORE_INVALID;
    case -ECANCELED:
        return STORE_SET_ASIDE;
    case -EAGAIN:
    case -ENOSPC:
    case -EBUSY:
        return STORE_BUSY;
    case -EBADMSG:
        return STORE_DAMAGED;
    default:
        return STORE_FAILED;
    }
}

/* A savepoint per push: a bad one must not take the others of its batch along. */
static int store_push_one(struct ingest_context *c, struct store_job *job)
{
    struct db *db = c->db;
    int code = db_exec(db, "SAVEPOINT push", &job->err);
    if (code == 0)
        code = ingest_push(c, job->series, job->series_count, &job->err);
    memcpy(job->endings, c->endings, sizeof job->endings);
    job->set_aside = c->set_aside;
    job->stored = c->bytes;
    memset(c->endings, 0, sizeof c->endings);
    c->set_aside = 0;
    c->bytes = 0;
    if (code < 0 && !sqlite3_get_autocommit(db->handle))
        db_undo(db, "ROLLBACK TO push; RELEASE push");
    else if (code == 0)
        code = db_exec(db, "RELEASE push", &job->err);
    return code;
}

static void store_fail_batch(struct list *batch, const struct err *err)
{
    list_each(batch, node)
    {
        struct store_job *job = store_job_of(node);
        if (job->kind == JOB_PUSH && job->result == STORE_OK) {
            job->err = *err;
            job->result = store_result_of(err->code);
        }
    }
}

static void store_push_batch(struct store *s, struct list *batch)
{
    struct err err = {0};
    if (db_exec(&s->write_db, "BEGIN IMMEDIATE", &err) < 0) {
        store_fail_batch(batch, &err);
        return;
    }
    struct ingest_context c = {.db = &s->write_db, .parsers = s->parsers};
    list_each(batch, node)
    {
        struct store_job *job = store_job_of(node);
        if (job->kind == JOB_PUSH)
            job->result = store_result_of(store_push_one(&c, job));
    }
    /* SQLite rolls back by itself when the disk is full or the file is damaged. */
    if (sqlite3_get_autocommit(s->write_db.handle)) {
        (void)err_set(&err, -ENOSPC, "the transaction was rolled back: %s", sqlite3_errmsg(s->write_db.handle));
        store_fail_batch(batch, &err);
    } else if (db_exec(&s->write_db, "COMMIT", &err) < 0) {
        db_undo(&s->write_db, "ROLLBACK");
        store_fail_batch(batch, &err);
    }
}

static void store_sweep(struct store *s, struct store_job *job)
{
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    const int64_t now_ns = (int64_t)now.tv_sec * NS_PER_SEC + now.tv_nsec;
    struct retention keep = s->keep;
    keep.keep_series = job->rescuing;
    int code = job->disk_full ? disk_room_use(&s->room, &s->write_db, &job->err) : 0;
    if (code == 0)
        code = retention_sweep(&s->write_db, &keep, now_ns, job->disk_full, &job->swept, &job->err);
    if (!job->disk_full)
        disk_room_restore(&s->room, &s->write_db);
    job->crowded = s->path && !s->room.held;
    job->result = store_result_of(code);
}

static struct store_reader store_reader_of(struct store *s, bool reads)
{
    struct store_reader r = {
        .db = s->path && reads ? &s->read_db : &s->write_db, .parsers = s->parsers, .limits = s->limits};
    if (reads || !s->path) {
        r.cache = s->cache;
        r.known = &s->known;
    }
    return r;
}

static void store_read_done(struct store *s, struct store_job *job, const struct store_reader *r)
{
    memcpy(job->endings, r->endings, sizeof job->endings);
    job->set_aside = r->set_aside;
    job->left_out = r->left_out;
    job->left_which = r->left_which;
    job->damaged = r->damaged.code == -EBADMSG;
    if (r->cache)
        job->cached = block_cache_look(s->cache);
}

/* What is read belongs together: packing moves profiles from one table to another meanwhile. */
static void store_read_begin(const struct store *s, struct store_reader *r)
{
    if (s->path && r->db == &s->read_db)
        db_undo(r->db, "BEGIN");
}

static void store_read_end(const struct store *s, struct store_reader *r)
{
    if (s->path && r->db == &s->read_db)
        db_undo(r->db, "ROLLBACK");
}

static void store_run_read(struct store *s, struct store_job *job)
{
    struct store_reader r = store_reader_of(s, job->kind == JOB_READ);
    r.deadline_ms = clock_ms() + reader_limit(s->limits.ms, QUERY_MS_MAX);
    store_read_begin(s, &r);
    job->work(job->arg, &r);
    store_read_end(s, &r);
    store_read_done(s, job, &r);
}

static void store_run_pack(struct store *s, struct store_job *job)
{
    struct store_reader r = store_reader_of(s, true);
    const int64_t begun = clock_ns();
    store_read_begin(s, &r);
    const int code = compaction_read(&s->compaction, &r, clock_wall_ns() / NS_PER_SEC, &job->step, &job->err);
    store_read_end(s, &r);
    job->again = code == 1;
    job->result = store_result_of(code < 0 ? code : 0);
    job->pack_ns = clock_ns() - begun;
    store_read_done(s, job, &r);
}

static void store_run_swap(struct store *s, struct store_job *job)
{
    const int64_t begun = clock_ns();
    if (job->database != s->database)
        return;
    const int code = compaction_write(&s->compaction, &s->write_db, &job->step, &job->err);
    job->again = code == 1;
    job->result = store_result_of(code < 0 ? code : 0);
    job->pack_ns = clock_ns() - begun;
}

static void store_run_batch(void *ctx, struct list *batch)
{
    struct store *s = ctx;
    bool pushes = false;
    list_each(batch, node) pushes = pushes || store_job_of(node)->kind == JOB_PUSH;
    if (pushes)
        store_push_batch(s, batch);
    list_each(batch, node)
    {
        struct store_job *job = store_job_of(node);
        if (job->kind == JOB_SWEEP)
            store_sweep(s, job);
        else if (job->kind == JOB_PACK)
            store_run_pack(s, job);
        else if (job->kind == JOB_SWAP)
            store_run_swap(s, job);
        else if (job->kind == JOB_RESCUE)
            rescue_step(&s->rescue, &s->write_db, &job->rescue);
        else if (job->kind != JOB_PUSH)
            store_run_read(s, job);
    }
    /* Decoding and merging need a lot for a moment, seldom: give it back at once. */
    malloc_trim(0);
}

/* ---- on the loop ---- */

static void store_tell(const struct store *s, const char *text)
{
    if (s->problem)
        s->problem(s->problem_arg, text);
}

static void store_on_sweep(uv_timer_t *t);

static void store_on_swept(struct store *s, const struct store_job *job)
{
    const struct retention_result *r = &job->swept;
    s->sweeping = NULL;
    if (job->crowded && !s->closing)
        uv_timer_start(&s->sweep, store_on_sweep, SWEEP_SOON_MS, SWEEP_MS);
    for (size_t i = 0; i < RETENTION_REASONS; i++) {
        if (r->deleted[i])
            metric_add(&store_deleted_total, (double)r->deleted[i], retention_reason_names[i]);
    }
    if (job->result != STORE_OK) {
        cleanup_free char *text =
            xasprintf("profiles that are too old or too many cannot be deleted: %s", job->err.text);
        store_tell(s, text);
        return;
    }
    if (s->measured) {
        s->measured(s->problem_arg, r->bytes, r->oldest_ns);
    } else {
        metric_set(&store_bytes, (double)r->bytes);
        metric_set(&store_blocks, (double)r->blocks);
        metric_set(&store_oldest_seconds, (double)r->oldest_ns / 1e9);
    }
    if (r->deleted[RETENTION_SIZE] && !s->size_told)
        store_tell(s, "the store has reached its size; the oldest profiles are deleted, before they are too old "
                      "(--store.max-size)");
    s->size_told |= r->deleted[RETENTION_SIZE] > 0;
}

static void store_make_room(struct store *s);
static void store_pack_now(struct store *s);

static void store_on_pushed(struct store *s, const struct store_job *job)
{
    metric_add(&store_pushes_total, 1, store_result_names[job->result]);
    s->journal_bytes += job->result == STORE_OK ? job->stored : 0;
    if (s->journal_bytes >= PACK_JOURNAL_BYTES && !s->pack_told)
        store_pack_now(s);
    if (job->err.code == -ENOSPC)
        store_make_room(s);
    else if (job->result == STORE_OK)
        s->full_told = false;
    job->pushed(job->arg, job->result, &job->err);
}

static void store_pack_next(struct store *s, struct store_job *job);
static void store_on_rescued(struct store *s, struct store_job *job);
static void store_on_damage(struct store *s, const struct store_job *job);

/* What reading has met. */
static void store_on_read(struct store *s, const struct store_job *job)
{
    if (job->left_out) {
        metric_add(&store_damaged_total, job->left_out);
        cleanup_free char *text = job->left_out == 1
                                      ? xasprintf("%s of the store is damaged and left out", job->left_which.text)
                                      : xasprintf("%u parts of the store are damaged and left out, first %s",
                                                  job->left_out, job->left_which.text);
        store_tell(s, text);
    }
    if (!job->cached.max)
        return;
    metric_set(&store_cache_bytes, (double)job->cached.bytes);
    metric_add(&store_cache_lookups_total, (double)(job->cached.hits - s->cached.hits), "hit");
    metric_add(&store_cache_lookups_total, (double)(job->cached.misses - s->cached.misses), "miss");
    s->cached = job->cached;
}

static void store_job_done(struct serial_job *base)
{
    struct store_job *job = (struct store_job *)base;
    struct store *s = job->store;
    if (job->result == STORE_DAMAGED || job->damaged || job->rescue.code == -EBADMSG)
        store_on_damage(s, job);
    (void)parser_endings_count(job->endings);
    parser_set_aside_count(job->kind == JOB_PUSH ? "profile" : "stored", job->set_aside);
    store_on_read(s, job);
    if (job->kind == JOB_PUSH)
        store_on_pushed(s, job);
    else if (job->kind == JOB_PACK || job->kind == JOB_SWAP)
        store_pack_next(s, job);
    else if (job->kind == JOB_RESCUE)
        store_on_rescued(s, job);
    else if (job->kind != JOB_SWEEP)
        job->done(job->arg);
    else
        store_on_swept(s, job);
    compaction_step_done(&job->step);
    free(job);
}

static struct store_job *store_job_new(struct store *s, enum job_kind kind, void *arg)
{
    struct store_job *job = xcalloc(1, sizeof *job);
    job->base.done = store_job_done;
    job->store = s;
    job->kind = kind;
    job->database = s->database;
    job->arg = arg;
    list_init(&job->base.link);
    return job;
}

static struct serial_queue *store_read_queue(struct store *s)
{
    return s->path ? &s->reads : &s->writes;
}

int store_push(struct store *s, const struct series *series, size_t n, size_t bytes, store_pushed *done, void *arg)
{
    bool full = s->writes.count && s->writes.bytes + bytes > STORE_QUEUE_MAX;
    if (s->closing || full || s->writes.count >= STORE_PUSHES_MAX)
        return -EAGAIN;
    struct store_job *job = store_job_new(s, JOB_PUSH, arg);
    job->base.bytes = bytes;
    job->series = series;
    job->series_count = n;
    job->pushed = done;
    serial_queue_submit(&s->writes, &job->base);
    return 0;
}

int store_read(struct store *s, void (*work)(void *arg, struct store_reader *r), void (*done)(void *arg), void *arg)
{
    if (s->closing || store_read_queue(s)->count >= STORE_READS_MAX)
        return -EAGAIN;
    struct store_job *job = store_job_new(s, JOB_READ, arg);
    job->work = work;
    job->done = done;
    serial_queue_submit(store_read_queue(s), &job->base);
    return 0;
}

int store_write(struct store *s, void (*work)(void *arg, struct store_reader *r), void (*done)(void *arg), void *arg)
{
    if (s->closing || s->writes.count >= STORE_PUSHES_MAX)
        return -EAGAIN;
    struct store_job *job = store_job_new(s, JOB_WRITE, arg);
    job->work = work;
    job->done = done;
    serial_queue_submit(&s->writes, &job->base);
    return 0;
}

/* ---- packing ---- */

static void store_on_pack(uv_timer_t *t)
{
    struct store *s = t->data;
    if (s->closing || s->rescuing)
        return;
    if (!s->packing)
        s->journal_bytes = 0;
    s->packing = true;
    uv_timer_stop(t);
    struct store_job *job = store_job_new(s, JOB_PACK, NULL);
    job->begun_ms = clock_ms();
    serial_queue_submit(store_read_queue(s), &job->base);
}

static void store_pack_now(struct store *s)
{
    if (!s->packing && !s->closing)
        store_on_pack(&s->pack);
}

/* A step is written after it was read; then there is a pause as long as it took, since others need the parser, too. */
static void store_pack_next(struct store *s, struct store_job *job)
{
    metric_add(&store_pack_seconds_total, (double)job->pack_ns / NS_PER_SEC);
    if (s->closing)
        return;
    if (job->kind == JOB_PACK && job->again) {
        struct store_job *swap = store_job_new(s, JOB_SWAP, NULL);
        swap->begun_ms = job->begun_ms;
        swap->step = job->step;
        job->step = (struct compaction_step){0};
        serial_queue_submit(&s->writes, &swap->base);
        return;
    }
    if (job->kind == JOB_SWAP && job->again)
        metric_add(&store_packed_total, (double)compaction_step_profiles(&job->step));
    if (job->result != STORE_OK && job->result != STORE_BUSY && !s->pack_told) {
        cleanup_free char *text = xasprintf("profiles cannot be packed: %s", job->err.text);
        store_tell(s, text);
        s->pack_told = true;
    } else if (job->result == STORE_OK && job->kind == JOB_SWAP) {
        s->pack_told = false;
    }
    s->packing = job->again;
    const int64_t pause = job->again ? clock_ms() - job->begun_ms : job->result == STORE_BUSY ? PACK_FIRST_MS : PACK_MS;
    uv_timer_start(&s->pack, store_on_pack, (uint64_t)pause, 0);
}

static void store_renew(struct store *s);

static void store_start_sweep(struct store *s, bool disk_full)
{
    if (s->sweeping || s->closing)
        return;
    s->sweeping = store_job_new(s, JOB_SWEEP, NULL);
    s->sweeping->disk_full = disk_full;
    s->sweeping->rescuing = s->rescuing;
    serial_queue_submit(&s->writes, &s->sweeping->base);
}

static void store_on_sweep(uv_timer_t *t)
{
    struct store *s = t->data;
    if (s->renewal_err.code)
        store_renew(s);
    store_start_sweep(s, false);
}

/* Newer profiles are worth more than the oldest: whoever pushed is told to wait, and finds room then. */
static void store_make_room(struct store *s)
{
    const int64_t now = clock_ms();
    if (s->full_swept_ms && now - s->full_swept_ms < SWEEP_FULL_MS)
        return;
    s->full_swept_ms = now;
    if (!s->full_told)
        store_tell(s, "no space is left for the store; its oldest profiles are deleted");
    s->full_told = true;
    store_start_sweep(s, true);
}

/* ---- damage ---- */

static void store_on_rescue_pause(uv_timer_t *t)
{
    struct store *s = t->data;
    if (!s->closing)
        serial_queue_submit(&s->writes, &store_job_new(s, JOB_RESCUE, NULL)->base);
}

/* Where something was moved aside, by this start or one before that did not come to its end. */
static void store_begin_rescue(struct store *s)
{
    s->rescuing = s->path != NULL;
    if (s->rescuing)
        store_on_rescue_pause(&s->rescue_pause);
}

static void store_on_rescued(struct store *s, struct store_job *job)
{
    cleanup_buf struct buf text = BUF_INIT(TEXT_MAX);
    const int64_t pause = rescue_after(&s->rescue, &job->rescue, &text);
    if (text.len)
        store_tell(s, buf_cstr(&text));
    if (s->closing || s->renewing)
        return;
    if (pause >= 0) {
        uv_timer_start(&s->rescue_pause, store_on_rescue_pause, (uint64_t)pause, 0);
        return;
    }
    s->rescuing = false;
    if (!s->packing)
        uv_timer_start(&s->pack, store_on_pack, PACK_FIRST_MS, 0);
}

static void store_run_renewal(uv_work_t *w)
{
    struct store *s = w->data;
    rescue_done(&s->rescue);
    db_close(&s->read_db);
    db_close(&s->write_db);
    disk_room_done(&s->room);
    disk_room_init(&s->room, s->path);
    /* What is kept of its blocks belongs to numbers that are given out again. */
    block_cache_free(s->cache);
    s->cache = block_cache_new(s->cache_max);
    u64map_done(&s->known);
    s->known = U64MAP_INIT;
    s->compaction = (struct compaction){0};
    s->database++;
    s->renewal_err = (struct err){0};
    (void)!aside_open(s->path, &s->write_db, &s->read_db, &s->renewal_notice, &s->renewal_err);
}

static void store_on_renewed(uv_work_t *w, int status)
{
    struct store *s = w->data;
    (void)status;
    if (s->renewal_notice.len)
        store_tell(s, buf_cstr(&s->renewal_notice));
    if (s->renewal_err.code)
        store_tell(s, s->renewal_err.text);
    buf_done(&s->renewal_notice);
    s->cached = (struct block_cache_view){0};
    s->renewing = false;
    s->packing = false;
    s->renewed_ms = clock_ms();
    store_begin_rescue(s);
    serial_queue_release(&s->writes);
    serial_queue_release(&s->reads);
}

static void store_on_held(void *ctx)
{
    struct store *s = ctx;
    if (--s->queues_held)
        return;
    s->renewal.data = s;
    s->renewal_notice = BUF_INIT(TEXT_MAX);
    work_queue(s->loop, &s->renewal, store_run_renewal, store_on_renewed);
}

/* Another database takes its place, when nobody uses it. */
static void store_renew(struct store *s)
{
    if (s->renewing || s->closing)
        return;
    s->renewing = true;
    s->queues_held = 2;
    uv_timer_stop(&s->pack);
    uv_timer_stop(&s->rescue_pause);
    serial_queue_hold(&s->writes, store_on_held);
    serial_queue_hold(&s->reads, store_on_held);
}

/* One that is damaged again at once lies on a disk that is not to be trusted: the next start will see. */
static void store_on_damage(struct store *s, const struct store_job *job)
{
    if (!s->path || s->renewing || job->database != s->database)
        return;
    aside_mark(s->path);
    if (!s->renewed_ms || clock_ms() - s->renewed_ms >= RENEW_AGAIN_MS)
        store_renew(s);
}

/* ---- opening and closing ---- */

struct store *store_new(const struct store_options *options)
{
    struct store *s = xcalloc(1, sizeof *s);
    s->loop = options->loop;
    s->parsers = options->parsers;
    s->keep = (struct retention){options->keep_seconds ? options->keep_seconds : KEEP_SECONDS,
                                 options->keep_bytes ? options->keep_bytes : keep_bytes_default};
    s->problem = options->problem;
    s->problem_arg = options->problem_arg;
    s->measured = options->measured;
    s->lock = -1;
    s->limits = options->limits;
    s->write_db = s->read_db = DB_INIT;
    if (options->dir) {
        s->dir = xstrdup(options->dir);
        s->path = xasprintf("%s/" DATABASE, options->dir);
    }
    disk_room_init(&s->room, s->path);
    serial_queue_init(&s->writes, s->loop, BATCH_MAX, store_run_batch, s);
    serial_queue_init(&s->reads, s->loop, 1, store_run_batch, s);
    uv_timer_init(s->loop, &s->sweep);
    uv_timer_init(s->loop, &s->pack);
    uv_timer_init(s->loop, &s->rescue_pause);
    s->sweep.data = s->pack.data = s->rescue_pause.data = s;
    rescue_init(&s->rescue, s->path);
    const int64_t cache = options->cache_bytes ? options->cache_bytes : cache_bytes_default;
    s->cache_max = cache > 0 ? (size_t)cache : 0;
    s->cache = block_cache_new(s->cache_max);
    return s;
}

int store_begin_files(struct store *s, struct buf *notice, struct err *err)
{
    if (!s->path)
        return db_open(":memory:", &s->write_db, err);
    int code = store_files_prepare(s->dir, DATABASE, err);
    if (code == 0)
        code = store_files_lock(s->dir, &s->lock, err);
    if (code < 0)
        return code;
    code = aside_open(s->path, &s->write_db, &s->read_db, notice, err);
    /* Moved aside long ago: nobody wants to repair them any more. */
    const unsigned gone =
        store_files_forget(s->dir, DATABASE ".damaged-", clock_wall_ns() / NS_PER_SEC - s->keep.keep_seconds);
    if (gone && notice)
        buf_printf(notice, "%s%u files of damaged databases in %s are older than --store.keep and were deleted",
                   notice->len ? "; " : "", gone, s->dir);
    return code;
}

void store_begin_sweeps(struct store *s)
{
    uv_timer_start(&s->sweep, store_on_sweep, 0, SWEEP_MS);
    uv_timer_start(&s->pack, store_on_pack, PACK_FIRST_MS, 0);
    uv_unref((uv_handle_t *)&s->sweep);
    uv_unref((uv_handle_t *)&s->pack);
    uv_unref((uv_handle_t *)&s->rescue_pause);
    store_begin_rescue(s);
}

int store_begin(struct store *s, struct buf *notice, struct err *err)
{
    const int code = store_begin_files(s, notice, err);
    if (code == 0)
        store_begin_sweeps(s);
    return code;
}

int store_open(const struct store_options *options, struct store **ret, struct buf *notice, struct err *err)
{
    struct store *s = store_new(options);
    const int code = store_begin(s, notice, err);
    if (code < 0)
        store_close(s, NULL, NULL);
    else
        *ret = s;
    return code;
}

static void store_on_timer_closed(uv_handle_t *h)
{
    struct store *s = h->data;
    if (--s->timers_open)
        return;
    block_cache_free(s->cache);
    u64map_done(&s->known);
    if (s->closed)
        s->closed(s->closed_arg);
    free(s->dir);
    free(s->path);
    free(s);
}

/* The last connection to a database writes what is left in its log, which a slow disk takes its time for. */
static void store_close_files(uv_work_t *w)
{
    struct store *s = w->data;
    rescue_done(&s->rescue);
    db_close(&s->read_db);
    db_close(&s->write_db);
    disk_room_done(&s->room);
    if (s->lock >= 0)
        close(s->lock);
}

static void store_on_files_closed(uv_work_t *w, int status)
{
    struct store *s = w->data;
    (void)status;
    s->timers_open = 3;
    uv_close((uv_handle_t *)&s->sweep, store_on_timer_closed);
    uv_close((uv_handle_t *)&s->pack, store_on_timer_closed);
    uv_close((uv_handle_t *)&s->rescue_pause, store_on_timer_closed);
}

static void store_on_queue_idle(void *ctx)
{
    struct store *s = ctx;
    if (--s->queues_open)
        return;
    s->ending.data = s;
    work_queue(s->loop, &s->ending, store_close_files, store_on_files_closed);
}

void store_close(struct store *s, void (*closed)(void *arg), void *arg)
{
    if (!s)
        return;
    s->closing = true;
    s->closed = closed;
    s->closed_arg = arg;
    s->queues_open = 2;
    uv_timer_stop(&s->sweep);
    uv_timer_stop(&s->pack);
    uv_timer_stop(&s->rescue_pause);
    serial_queue_close(&s->writes, store_on_queue_idle);
    serial_queue_close(&s->reads, store_on_queue_idle);
}
