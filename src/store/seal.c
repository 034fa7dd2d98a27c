#include "store/seal.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/mem.h"
#include "store/block.h"
#include "store/slices.h"

/* Of one step. */
enum { SEAL_BYTES = 4 << 20, SEAL_SERIES = 64, SEAL_REQUEST_MAX = 128 << 20 };

/* The slices of one series, which are to be one. */
struct seal_group {
    int64_t series;
    struct slice *slices; /* owned */
    size_t count, cap;
    struct str *rows; /* owned, of each slice */
    struct columns columns;
    uint8_t *ids;              /* owned */
    struct block_slice joined; /* owned; count 0 = it stays as it is */
    struct buf head, bytes;    /* the request */
};

struct seal_step {
    int64_t block;
    bool last; /* of this block */
    struct seal_group groups[SEAL_SERIES];
    size_t count;
};

static void seal_group_done(struct seal_group *g)
{
    for (size_t i = 0; g->rows && i < g->count; i++)
        free((void *)g->rows[i].p);
    free(g->rows);
    free(g->slices);
    columns_done(&g->columns);
    free(g->ids);
    free((void *)g->joined.rows.p);
    free((void *)g->joined.sum.p);
    buf_done(&g->head);
    buf_done(&g->bytes);
}

void seal_step_free(struct seal_step *step)
{
    if (!step)
        return;
    for (size_t i = 0; i < step->count; i++)
        seal_group_done(&step->groups[i]);
    free(step);
}

static void seal_step_freep(struct seal_step **step)
{
    seal_step_free(*step);
}

static struct str seal_copy(struct str s)
{
    char *p = xmalloc(s.n + 1);
    if (s.n)
        memcpy(p, s.p, s.n);
    return (struct str){p, s.n};
}

/* ---- what is to be joined ---- */

/* 1: a block. */
static int seal_choose(struct store_reader *r, struct seal_cursor *at, int64_t now_s, struct err *err)
{
    if (at->begun)
        return 1;
    sqlite3_stmt *st = db_statement(r->db, DB_BLOCK_TO_SEAL, err);
    if (!st)
        return err->code;
    db_bind(st, 1, (now_s - SEAL_AFTER_S) / 3600);
    db_bind(st, 2, at->block);
    db_bind(st, 3, now_s);
    db_bind(st, 4, SEAL_AFTER_S);
    const int code = db_step(r->db, st, err);
    if (code != 1)
        return code;
    *at = (struct seal_cursor){.block = sqlite3_column_int64(st, 0), .series = INT64_MIN, .begun = true};
    sqlite3_reset(st);
    return 1;
}

static void seal_group_add(struct seal_group *g, int64_t series, const struct slice *s)
{
    g->series = series;
    xgrow(&g->slices, &g->cap, g->count + 1, sizeof *g->slices);
    g->slices[g->count++] = *s;
}

/* A series with one slice needs nothing. */
static void seal_close_group(struct seal_step *step, struct seal_group *g)
{
    if (g->count > 1)
        step->groups[step->count++] = *g;
    else
        seal_group_done(g);
    *g = (struct seal_group){0};
}

/* Series behind the cursor, as many as one step takes. */
static int seal_list(struct store_reader *r, struct seal_cursor *at, struct seal_step *step, struct err *err)
{
    struct seal_group g = {0};
    sqlite3_stmt *st = db_statement(r->db, DB_SLICES_OF_BLOCK, err);
    size_t bytes = 0;
    int code;
    if (!st)
        return err->code;
    db_bind(st, 1, step->block);
    db_bind(st, 2, at->series);
    while ((code = db_step(r->db, st, err)) == 1) {
        const int64_t series = sqlite3_column_int64(st, 6);
        if (g.count && g.series != series) {
            at->series = g.series;
            seal_close_group(step, &g);
            if (step->count == SEAL_SERIES || bytes >= SEAL_BYTES)
                break;
        }
        const struct slice s = {.id = sqlite3_column_int64(st, 0),
                                .block = step->block,
                                .first_ns = sqlite3_column_int64(st, 1),
                                .last_ns = sqlite3_column_int64(st, 2),
                                .profiles = (size_t)sqlite3_column_int64(st, 3)};
        bytes += g.count ? (size_t)sqlite3_column_int64(st, 5) : 0;
        seal_group_add(&g, series, &s);
    }
    sqlite3_reset(st);
    step->last = code == 0;
    if (step->last)
        seal_close_group(step, &g);
    else
        seal_group_done(&g);
    return code < 0 ? code : 0;
}

/* ---- joining ---- */

static int seal_read_rows(struct store_reader *r, struct seal_group *g, size_t i, struct err *err)
{
    sqlite3_stmt *st = db_statement(r->db, DB_SLICE_STACKS, err);
    if (!st)
        return err->code;
    db_bind(st, 1, g->slices[i].id);
    const int code = db_step(r->db, st, err);
    if (code == 1) {
        g->rows[i] = seal_copy(db_column(st, 1));
        sqlite3_reset(st);
    }
    return code == -EBADMSG ? 0 : code;
}

/* Columns and ids, one after the other. 1: all could be read. */
static int seal_read_group(struct store_reader *r, struct seal_group *g, struct err *err)
{
    size_t n = 0, at = 0;
    int code = 1;
    for (size_t i = 0; i < g->count; i++)
        n += g->slices[i].profiles;
    g->rows = xcalloc(g->count, sizeof *g->rows);
    g->ids = xmalloc(n * SLICE_ID_SIZE + 1);
    columns_new(&g->columns, n);
    for (size_t i = 0; code == 1 && i < g->count; i++) {
        cleanup_slice_profiles struct slice_profiles p = {0};
        code = seal_read_rows(r, g, i, err);
        if (code == 1)
            code = slice_read(r->db, &g->slices[i], &p, err);
        if (code == 0)
            reader_leave_out(r, READER_SLICE, g->slices[i].id);
        for (size_t k = 0; code == 1 && k < p.columns.n; k++, at++) {
            g->columns.times[at] = p.columns.times[k];
            g->columns.durations[at] = p.columns.durations[k];
            g->columns.totals[at] = p.columns.totals[k];
            memcpy(g->ids + at * SLICE_ID_SIZE, p.ids + k * SLICE_ID_SIZE, SLICE_ID_SIZE);
        }
    }
    return code;
}

/* Those that cannot be read are left as they are. */
static int seal_requests(struct store_reader *r, struct seal_step *step, struct parser_item *items, size_t *groups,
                         size_t *count, struct err *err)
{
    for (size_t i = 0; i < step->count; i++) {
        struct seal_group *g = &step->groups[i];
        const int code = seal_read_group(r, g, err);
        if (code < 0)
            return code;
        if (code == 0)
            continue;
        g->head = BUF_INIT(SEAL_REQUEST_MAX);
        g->bytes = BUF_INIT(SEAL_REQUEST_MAX);
        block_join_request(g->rows, g->count, &g->head, &g->bytes);
        if (!buf_ok(&g->head) || !buf_ok(&g->bytes))
            continue;
        items[*count] = (struct parser_item){buf_slice(&g->head), buf_slice(&g->bytes)};
        groups[(*count)++] = i;
    }
    return 0;
}

static int seal_take(struct seal_step *step, const size_t *groups, const struct parser_answer *a, struct err *err)
{
    struct cursor c = cursor_of(a->bytes.p, a->bytes.n);
    for (size_t i = a->first; i < a->first + a->n; i++) {
        struct seal_group *g = &step->groups[groups[i]];
        struct block_slice s;
        const int code = block_join_read(&c, &s, err);
        if (code < 0)
            return code;
        if (s.count == g->columns.n)
            g->joined = (struct block_slice){seal_copy(s.rows), seal_copy(s.sum), s.count};
    }
    return 0;
}

static int seal_join(struct store_reader *r, struct seal_step *step, struct err *err)
{
    struct parser_item items[SEAL_SERIES];
    size_t groups[SEAL_SERIES], count = 0;
    int code = seal_requests(r, step, items, groups, &count, err);
    if (code < 0)
        return code;
    cleanup_parser_batch struct parser_batch b = {.pool = r->parsers,
                                                  .service = &block_join_service,
                                                  .items = items,
                                                  .count = count,
                                                  .answer_max = BLOCK_ANSWER_MAX,
                                                  .check = block_join_check};
    struct parser_answer a;
    while ((code = parser_batch_next(&b, &a, err)) > 0 || code == -ECANCELED) {
        if (code == 1 && (code = seal_take(step, groups, &a, err)) < 0)
            break;
    }
    reader_count_endings(r, b.endings, 0);
    return code;
}

int seal_step_read(struct store_reader *r, struct seal_cursor *at, int64_t now_s, struct seal_step **ret,
                   struct err *err)
{
    __attribute__((cleanup(seal_step_freep))) struct seal_step *step = xcalloc(1, sizeof *step);
    struct seal_cursor next = *at;
    int code = seal_choose(r, &next, now_s, err);
    if (code <= 0)
        return code;
    step->block = next.block;
    code = seal_list(r, &next, step, err);
    if (code == 0 && step->count)
        code = seal_join(r, step, err);
    if (code < 0)
        return code;
    next.begun = !step->last;
    *at = next;
    *ret = TAKE_PTR(step);
    return 1;
}

/* ---- the result ---- */

/* 0: a slice is not there any more. */
static int seal_replace(struct db *db, const struct seal_step *step, const struct seal_group *g, struct err *err)
{
    for (size_t i = 0; i < g->count; i++) {
        sqlite3_stmt *st = db_statement(db, DB_SLICE_DELETE, err);
        if (!st)
            return err->code;
        db_bind(st, 1, g->slices[i].id);
        const int code = db_step(db, st, err);
        if (code < 0 || sqlite3_changes(db->handle) != 1)
            return code;
    }
    const struct slice_new new = {.series = g->series,
                                  .block = step->block,
                                  .columns = g->columns,
                                  .ids = g->ids,
                                  .sum = g->joined.sum,
                                  .rows = g->joined.rows};
    const int code = slice_add(db, &new, err);
    return code < 0 ? code : 1;
}

static int seal_write_all(struct db *db, const struct seal_step *step, struct err *err)
{
    int code = 1;
    for (size_t i = 0; code == 1 && i < step->count; i++) {
        if (step->groups[i].joined.count)
            code = seal_replace(db, step, &step->groups[i], err);
    }
    if (code != 1 || !step->last)
        return code;
    sqlite3_stmt *st = db_statement(db, DB_BLOCK_SEAL, err);
    if (!st)
        return err->code;
    db_bind(st, 1, step->block);
    code = db_step(db, st, err);
    return code < 0 ? code : 1;
}

int seal_step_write(struct db *db, const struct seal_step *step, struct err *err)
{
    int code = db_exec(db, "BEGIN IMMEDIATE", err);
    if (code < 0)
        return code;
    const int written = seal_write_all(db, step, err);
    code = written == 1 ? db_exec(db, "COMMIT", err) : written;
    if (written != 1 || code < 0)
        db_undo(db, "ROLLBACK");
    return written == 1 && code == 0 ? 1 : code;
}
