#include "store/pack.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "base/gzip.h"
#include "base/map.h"
#include "base/mem.h"
#include "store/block.h"
#include "store/slices.h"

/* Of one step; bytes when inflated. */
enum { PACK_BYTES = 4 << 20, PACK_BODIES = 1024, PACK_ROWS = 1 << 16, PACK_REQUEST_MAX = 128 << 20 };

/* What a series has of a body. */
struct pack_row {
    int64_t series, time_ns, type, split, duration_ns, total;
    uint32_t slice;
};
struct pack_body {
    int64_t id;
    uint8_t hash[SLICE_ID_SIZE];
    struct str pprof; /* owned; "" = set aside */
    bool set_aside;
    size_t first, rows;
};

struct pack_step {
    struct str service; /* owned */
    int64_t hour;
    int64_t block;   /* 0 = a new one */
    int64_t damaged; /* a block whose tree cannot be used any more; 0 = none */
    struct str tree; /* owned; of the block as it is */
    struct pack_body *bodies;
    size_t body_count, body_cap, bytes;
    size_t used; /* bodies of this request; those of the answer, when there is one */
    struct pack_row *rows;
    size_t row_count, row_cap;
    int64_t *series; /* by slice */
    uint32_t *counts;
    size_t slice_count, slice_cap, count_cap;
    struct parser_batch batch; /* has the answer */
    struct block_packed packed;
    struct slice_new *slices; /* of the answer; columns and ids are owned */
};

static struct str pack_copy(struct str s)
{
    char *p = xmalloc(s.n + 1);
    if (s.n)
        memcpy(p, s.p, s.n);
    return (struct str){p, s.n};
}

static void pack_forget(struct str *s)
{
    free((void *)s->p);
    *s = (struct str){0};
}

void pack_step_free(struct pack_step *step)
{
    if (!step)
        return;
    for (size_t i = 0; i < step->body_count; i++)
        pack_forget(&step->bodies[i].pprof);
    pack_forget(&step->service);
    pack_forget(&step->tree);
    for (size_t i = 0; step->slices && i < step->slice_count; i++) {
        columns_done(&step->slices[i].columns);
        free((void *)step->slices[i].ids);
    }
    free(step->slices);
    free(step->bodies);
    free(step->rows);
    free(step->series);
    free(step->counts);
    block_packed_done(&step->packed);
    parser_batch_done(&step->batch);
    free(step);
}

static void pack_step_freep(struct pack_step **step)
{
    pack_step_free(*step);
}

size_t pack_step_profiles(const struct pack_step *step)
{
    return step->used;
}

/* ---- what is to be packed ---- */

/* The hour and service of the oldest profile. 0: there is none. */
static int pack_choose(struct store_reader *r, struct pack_step *step, struct err *err)
{
    sqlite3_stmt *st = db_statement(r->db, DB_PACK_OLDEST, err);
    int code = st ? db_step(r->db, st, err) : err->code;
    if (code <= 0)
        return code;
    const int64_t body = sqlite3_column_int64(st, 0);
    step->hour = sqlite3_column_int64(st, 1) / STORE_HOUR_NS;
    sqlite3_reset(st);
    st = db_statement(r->db, DB_PACK_SERVICE, err);
    if (!st)
        return err->code;
    db_bind(st, 1, body);
    code = db_step(r->db, st, err);
    if (code == 1) {
        step->service = pack_copy(db_column(st, 0));
        sqlite3_reset(st);
    } else if (code == 0) {
        /* No series has anything of it: it goes. */
        xgrow(&step->bodies, &step->body_cap, 1, sizeof *step->bodies);
        step->bodies[step->body_count++] = (struct pack_body){.id = body};
    }
    return code < 0 ? code : 1;
}

/* Bodies of a series one after the other, so that slices are long. */
static int pack_list(struct store_reader *r, const struct pack_step *step, int64_t **ret, size_t *count,
                     struct err *err)
{
    int64_t *ids = NULL;
    size_t cap = 0, n = 0;
    sqlite3_stmt *st = db_statement(r->db, DB_PACK_BODIES, err);
    int code;
    if (!st)
        return err->code;
    db_bind_text(st, 1, step->service);
    db_bind(st, 2, step->hour * STORE_HOUR_NS);
    db_bind(st, 3, (step->hour + 1) * STORE_HOUR_NS - 1);
    while (n < PACK_BODIES && (code = db_step(r->db, st, err)) == 1) {
        xgrow(&ids, &cap, n + 1, sizeof *ids);
        ids[n++] = sqlite3_column_int64(st, 0);
    }
    sqlite3_reset(st);
    *ret = ids;
    *count = n;
    return n == PACK_BODIES || code >= 0 ? 0 : code;
}

/* Size when inflated (RFC 1952 §2.3.1), which may be a lie that costs time. */
static size_t pack_weight(struct str pprof)
{
    const uint8_t *end = (const uint8_t *)pprof.p + pprof.n;
    if (pprof.n < 18 || !gzip_is(pprof))
        return pprof.n;
    const size_t plain = end[-4] | (size_t)end[-3] << 8 | (size_t)end[-2] << 16 | (size_t)end[-1] << 24;
    return plain > pprof.n ? plain : pprof.n;
}

static int pack_read_rows(struct store_reader *r, struct pack_step *step, struct pack_body *body, struct err *err)
{
    sqlite3_stmt *st = db_statement(r->db, DB_PACK_ROWS, err);
    int code;
    if (!st)
        return err->code;
    db_bind(st, 1, body->id);
    db_bind_text(st, 2, step->service);
    body->first = step->row_count;
    while ((code = db_step(r->db, st, err)) == 1) {
        xgrow(&step->rows, &step->row_cap, step->row_count + 1, sizeof *step->rows);
        step->rows[step->row_count++] = (struct pack_row){.series = sqlite3_column_int64(st, 0),
                                                          .time_ns = sqlite3_column_int64(st, 1),
                                                          .type = sqlite3_column_int64(st, 2),
                                                          .split = sqlite3_column_int64(st, 3),
                                                          .duration_ns = sqlite3_column_int64(st, 4),
                                                          .total = sqlite3_column_int64(st, 5)};
    }
    body->rows = step->row_count - body->first;
    return code;
}

static int pack_add_body(struct store_reader *r, struct pack_step *step, int64_t id, struct err *err)
{
    struct pack_body body = {.id = id};
    sqlite3_stmt *st = db_statement(r->db, DB_PACK_BODY, err);
    if (!st)
        return err->code;
    db_bind(st, 1, id);
    int code = db_step(r->db, st, err);
    if (code < 0)
        return code;
    if (code == 1) {
        /* What cannot be read any more is empty, and is packed without stacks. */
        const struct str hash = db_column(st, 0), pprof = db_column(st, 1);
        memcpy(body.hash, hash.p, hash.n < sizeof body.hash ? hash.n : sizeof body.hash);
        body.pprof = pack_copy(pprof);
        sqlite3_reset(st);
    }
    const size_t weight = pack_weight(body.pprof);
    xgrow(&step->bodies, &step->body_cap, step->body_count + 1, sizeof *step->bodies);
    struct pack_body *at = &step->bodies[step->body_count++];
    *at = body;
    step->bytes += weight < PACK_BYTES ? weight : PACK_BYTES;
    return pack_read_rows(r, step, at, err);
}

static int pack_read_bodies(struct store_reader *r, struct pack_step *step, struct err *err)
{
    cleanup_free int64_t *ids = NULL;
    size_t n = 0;
    int code = pack_list(r, step, &ids, &n, err);
    for (size_t i = 0; code == 0 && i < n && step->bytes < PACK_BYTES && step->row_count < PACK_ROWS; i++)
        code = pack_add_body(r, step, ids[i], err);
    return code;
}

static int pack_read_tree(struct store_reader *r, struct pack_step *step, struct err *err)
{
    sqlite3_stmt *st = db_statement(r->db, DB_BLOCK_OPEN, err);
    if (!st)
        return err->code;
    db_bind(st, 1, step->hour);
    db_bind_text(st, 2, step->service);
    const int code = db_step(r->db, st, err);
    if (code != 1)
        return code;
    step->block = sqlite3_column_int64(st, 0);
    step->tree = pack_copy(db_column(st, 1));
    sqlite3_reset(st);
    return 0;
}

/* ---- packing ---- */

/* Which rows go to which slice: one for each series. */
static void pack_slices(struct pack_step *step)
{
    cleanup_u64map struct u64map of_series = U64MAP_INIT;
    step->slice_count = 0;
    for (size_t b = 0; b < step->used; b++) {
        const struct pack_body *body = &step->bodies[b];
        for (size_t i = body->first; i < body->first + body->rows; i++) {
            bool added;
            const uint64_t slice = *u64map_add(&of_series, (uint64_t)step->rows[i].series, step->slice_count, &added);
            if (added) {
                xgrow(&step->series, &step->slice_cap, step->slice_count + 1, sizeof *step->series);
                xgrow(&step->counts, &step->count_cap, step->slice_count + 1, sizeof *step->counts);
                step->counts[step->slice_count] = 0;
                step->series[step->slice_count++] = step->rows[i].series;
            }
            step->rows[i].slice = (uint32_t)slice;
        }
    }
}

static void pack_request(const struct pack_step *step, struct buf *head, struct buf *bytes)
{
    cleanup_free struct block_body *bodies = xcalloc(step->used + 1, sizeof *bodies);
    cleanup_free struct block_part *parts = xcalloc(step->row_count + 1, sizeof *parts);
    for (size_t i = 0; i < step->row_count; i++)
        parts[i] = (struct block_part){step->rows[i].split, (uint32_t)step->rows[i].type, step->rows[i].slice};
    for (size_t i = 0; i < step->used; i++) {
        const struct pack_body *b = &step->bodies[i];
        bodies[i] = (struct block_body){b->pprof, parts + b->first, b->rows};
    }
    block_pack_request(step->tree, bodies, step->used, (uint32_t)step->slice_count, head, bytes);
}

/* How many rows each slice must have, by what became of the bodies. */
static size_t pack_count(struct pack_step *step, const struct block_packed *p)
{
    size_t taken = 0;
    memset(step->counts, 0, step->slice_count * sizeof *step->counts);
    for (; taken < step->used && p->fates[taken] != BLOCK_LEFT; taken++) {
        const struct pack_body *b = &step->bodies[taken];
        for (size_t i = b->first; i < b->first + b->rows; i++)
            step->counts[step->rows[i].slice]++;
    }
    return taken;
}

/* A parser_check: whether the answer is one to this request. */
static int pack_check(void *arg, size_t n, struct str answer, struct err *err)
{
    struct pack_step *step = arg;
    cleanup_block_packed struct block_packed p = {0};
    int code = block_pack_check(NULL, n, answer, err);
    if (code == 0)
        code = block_pack_read(answer, &p, err);
    if (code < 0)
        return code;
    bool good = p.slice_count == step->slice_count && p.body_count == step->used;
    const size_t taken = good ? pack_count(step, &p) : 0;
    for (size_t i = taken; good && i < step->used; i++)
        good = p.fates[i] == BLOCK_LEFT;
    for (size_t i = 0; good && i < p.slice_count; i++)
        good = p.slices[i].count == step->counts[i];
    good = good && (taken > 0 || step->tree.n > 0);
    return good ? 0 : err_set(err, -EBADMSG, "another block was packed than was asked for");
}

/* The first `used` bodies, with the tree there is. */
static int pack_ask(struct store_reader *r, struct pack_step *step, struct err *err)
{
    struct parser_answer a;
    cleanup_buf struct buf head = BUF_INIT(PACK_REQUEST_MAX), bytes = BUF_INIT(PACK_REQUEST_MAX);
    pack_slices(step);
    pack_request(step, &head, &bytes);
    if (!buf_ok(&head) || !buf_ok(&bytes))
        return err_set(err, -EMSGSIZE, "a block is too large");
    const struct parser_item item = {buf_slice(&head), buf_slice(&bytes)};
    parser_batch_done(&step->batch);
    step->batch = (struct parser_batch){.pool = r->parsers,
                                        .service = &block_pack_service,
                                        .items = &item,
                                        .count = 1,
                                        .answer_max = BLOCK_ANSWER_MAX,
                                        .check = pack_check,
                                        .check_arg = step};
    const int code = parser_batch_next(&step->batch, &a, err);
    reader_count_endings(r, step->batch.endings, 0);
    return code == 1 ? block_pack_read(a.bytes, &step->packed, err) : code == 0 ? -EIO : code;
}

/* 0: do it again, with less. */
static int pack_refused(struct store_reader *r, struct pack_step *step, int code)
{
    if (code == -ECANCELED && step->used > 1) {
        step->used /= 2;
        return 0;
    }
    if (code == -ECANCELED && step->bodies->pprof.n) {
        r->set_aside++;
        step->bodies->set_aside = true;
        pack_forget(&step->bodies->pprof);
        return 0;
    }
    /* The tree cannot be read, or is what ended the parser. */
    if ((code == -ECANCELED || code == -EBADMSG) && step->block) {
        step->damaged = step->block;
        step->block = 0;
        pack_forget(&step->tree);
        reader_leave_out(r, READER_BLOCK, step->damaged);
        return 0;
    }
    return code;
}

static int pack_ask_until_answered(struct store_reader *r, struct pack_step *step, struct err *err)
{
    int code;
    step->used = step->body_count;
    do {
        code = pack_ask(r, step, err);
        if (code == 0)
            break;
        code = pack_refused(r, step, code);
    } while (code == 0);
    return code;
}

/* All that can be done before the transaction. */
static void pack_make_slices(struct pack_step *step)
{
    cleanup_free size_t *at = xcalloc(step->slice_count + 1, sizeof *at);
    step->slices = xcalloc(step->slice_count + 1, sizeof *step->slices);
    for (size_t i = 0; i < step->slice_count; i++) {
        const struct block_slice *from = &step->packed.slices[i];
        struct slice_new *to = &step->slices[i];
        *to = (struct slice_new){.series = step->series[i], .sum = from->sum, .rows = from->rows};
        columns_new(&to->columns, from->count);
        to->ids = xmalloc((size_t)from->count * SLICE_ID_SIZE + 1);
    }
    for (size_t b = 0; b < step->used; b++) {
        const struct pack_body *body = &step->bodies[b];
        for (size_t i = body->first; i < body->first + body->rows; i++) {
            const struct pack_row *row = &step->rows[i];
            const struct slice_new *slice = &step->slices[row->slice];
            const size_t n = at[row->slice]++;
            slice->columns.times[n] = row->time_ns;
            slice->columns.durations[n] = row->duration_ns;
            slice->columns.totals[n] = row->total;
            memcpy((uint8_t *)slice->ids + n * SLICE_ID_SIZE, body->hash, SLICE_ID_SIZE);
        }
    }
}

/* What was only needed for the request. */
static void pack_release(struct pack_step *step)
{
    pack_forget(&step->tree);
    for (size_t i = 0; i < step->body_count; i++)
        pack_forget(&step->bodies[i].pprof);
}

/* Bodies that were stored, and cannot be decoded any more. */
static void pack_report(struct store_reader *r, const struct pack_step *step)
{
    for (size_t i = 0; i < step->used; i++) {
        const struct pack_body *b = &step->bodies[i];
        if (step->packed.fates[i] == BLOCK_BAD && !b->set_aside)
            reader_leave_out(r, READER_BODY, b->id);
    }
}

int pack_read(struct store_reader *r, struct pack_step **ret, struct err *err)
{
    __attribute__((cleanup(pack_step_freep))) struct pack_step *step = xcalloc(1, sizeof *step);
    int code = pack_choose(r, step, err);
    if (code <= 0)
        return code;
    step->used = step->body_count;
    if (step->service.p) {
        code = pack_read_bodies(r, step, err);
        if (code == 0)
            code = pack_read_tree(r, step, err);
        if (code == 0)
            code = pack_ask_until_answered(r, step, err);
        if (code < 0)
            return code;
        step->used = pack_count(step, &step->packed);
        pack_report(r, step);
        pack_make_slices(step);
    }
    pack_release(step);
    *ret = TAKE_PTR(step);
    return 1;
}

/* ---- the result ---- */

static int pack_write_block(struct db *db, const struct pack_step *step, int64_t *ret, struct err *err)
{
    const struct block_packed *p = &step->packed;
    int64_t first = INT64_MAX, last = 0;
    for (size_t i = 0; i < step->used; i++) {
        if (step->bodies[i].rows == 0)
            continue;
        const int64_t t = step->rows[step->bodies[i].first].time_ns;
        first = t < first ? t : first;
        last = t > last ? t : last;
    }
    sqlite3_stmt *st = db_statement(db, step->block ? DB_BLOCK_GROW : DB_BLOCK_ADD, err);
    if (!st)
        return err->code;
    int at = 1;
    if (step->block) {
        db_bind(st, at++, step->block);
    } else {
        db_bind_text(st, at++, step->service);
        db_bind(st, at++, step->hour);
    }
    db_bind(st, at++, p->full || step->used == 0); /* which took none: another block will */
    db_bind(st, at++, clock_wall_ns() / NS_PER_SEC);
    db_bind(st, at++, (int64_t)step->used);
    db_bind(st, at++, first);
    db_bind(st, at++, last);
    db_bind(st, at++, p->nodes);
    db_bind_blob(st, at, p->tree);
    const int code = db_step(db, st, err);
    *ret = step->block ? step->block : sqlite3_last_insert_rowid(db->handle);
    return code < 0 ? code : sqlite3_changes(db->handle) == 1;
}

/* First of all, so that its pages are there for what follows. 0: something is not there any more. */
static int pack_delete_journal(struct db *db, const struct pack_step *step, struct err *err)
{
    for (size_t b = 0; b < step->used; b++) {
        const struct pack_body *body = &step->bodies[b];
        for (size_t i = body->first; i < body->first + body->rows; i++) {
            const struct pack_row *row = &step->rows[i];
            sqlite3_stmt *st = db_statement(db, DB_PROFILE_DELETE, err);
            if (!st)
                return err->code;
            const int64_t key[] = {row->series, row->time_ns, body->id, row->type, row->split};
            for (size_t k = 0; k < ARRAY_LEN(key); k++)
                db_bind(st, (int)k + 1, key[k]);
            const int code = db_step(db, st, err);
            if (code < 0 || sqlite3_changes(db->handle) != 1)
                return code;
        }
        sqlite3_stmt *st = db_statement(db, DB_BODY_DELETE, err);
        if (!st)
            return err->code;
        db_bind(st, 1, body->id);
        const int code = db_step(db, st, err);
        if (code < 0)
            return code;
    }
    return 1;
}

static int pack_write_all(struct db *db, const struct pack_step *step, struct err *err)
{
    int64_t block = 0;
    int code = pack_delete_journal(db, step, err);
    if (code == 1 && step->damaged) {
        sqlite3_stmt *st = db_statement(db, DB_BLOCK_CLOSE, err);
        if (!st)
            return err->code;
        db_bind(st, 1, step->damaged);
        code = db_step(db, st, err) < 0 ? err->code : 1;
    }
    if (code == 1 && step->service.p)
        code = pack_write_block(db, step, &block, err);
    for (size_t i = 0; code == 1 && i < step->packed.slice_count; i++) {
        struct slice_new slice = step->slices[i];
        slice.block = block;
        if (slice.columns.n)
            code = slice_add(db, &slice, err) < 0 ? err->code : 1;
    }
    return code;
}

int pack_write(struct db *db, const struct pack_step *step, struct err *err)
{
    int code = db_exec(db, "BEGIN IMMEDIATE", err);
    if (code < 0)
        return code;
    const int written = pack_write_all(db, step, err);
    code = written == 1 ? db_exec(db, "COMMIT", err) : written;
    if (written != 1 || code < 0)
        db_undo(db, "ROLLBACK");
    return written == 1 && code == 0 ? 1 : code;
}
