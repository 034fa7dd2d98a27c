#define XXH_INLINE_ALL
#include "store/slices.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <xxhash.h>

#include "base/mem.h"

enum { SLICE_BLOB_MAX = 64 << 20, SLICE_SUM_SIZE = 8 };

void slice_list_done(struct slice_list *l)
{
    free(l->items);
    *l = (struct slice_list){0};
}

void slice_profiles_done(struct slice_profiles *p)
{
    columns_done(&p->columns);
    free(p->ids);
    p->ids = NULL;
}

int slices_of(struct db *db, int64_t series, int64_t from_ns, int64_t until_ns, struct slice_list *out, struct err *err)
{
    sqlite3_stmt *st = db_statement(db, DB_SLICES_OF, err);
    int code;
    if (!st)
        return err->code;
    db_bind(st, 1, from_ns);
    db_bind(st, 2, until_ns);
    db_bind(st, 3, series);
    while ((code = db_step(db, st, err)) == 1) {
        xgrow(&out->items, &out->cap, out->len + 1, sizeof *out->items);
        out->items[out->len++] = (struct slice){.id = sqlite3_column_int64(st, 0),
                                                .block = sqlite3_column_int64(st, 1),
                                                .first_ns = sqlite3_column_int64(st, 2),
                                                .last_ns = sqlite3_column_int64(st, 3),
                                                .profiles = (size_t)sqlite3_column_int64(st, 4),
                                                .total = sqlite3_column_int64(st, 5)};
    }
    return code;
}

/* The ids follow their checksum. */
static bool slice_ids_intact(struct str bytes, size_t n)
{
    uint64_t sum;
    if (n > bytes.n || bytes.n != SLICE_SUM_SIZE + n * SLICE_ID_SIZE)
        return false;
    memcpy(&sum, bytes.p, sizeof sum);
    return XXH3_64bits(bytes.p + SLICE_SUM_SIZE, n * SLICE_ID_SIZE) == sum;
}

bool slice_parse(struct str columns, struct str ids, size_t n, struct slice_profiles *ret)
{
    struct columns read = COLUMNS_INIT;
    struct err err;
    if (!slice_ids_intact(ids, n) || columns_read(columns, n, &read, &err) < 0)
        return false;
    *ret = (struct slice_profiles){read, xmalloc(n * SLICE_ID_SIZE + 1)};
    memcpy(ret->ids, ids.p + SLICE_SUM_SIZE, n * SLICE_ID_SIZE);
    return true;
}

int slice_read(struct db *db, const struct slice *s, struct slice_profiles *ret, struct err *err)
{
    sqlite3_stmt *st = db_statement(db, DB_SLICE_COLUMNS, err);
    if (!st)
        return err->code;
    db_bind(st, 1, s->id);
    const int code = db_step(db, st, err);
    if (code <= 0)
        return code == -EBADMSG ? 0 : code;
    /* A page that cannot be read makes a column empty, which is damage like any other. */
    const bool good = slice_parse(db_column(st, 0), db_column(st, 1), s->profiles, ret);
    sqlite3_reset(st);
    return good;
}

static int slice_has(struct db *db, const struct slice *s, int64_t from_ns, int64_t until_ns, struct str id,
                     struct err *err)
{
    cleanup_slice_profiles struct slice_profiles p = {0};
    int code = slice_read(db, s, &p, err);
    if (code <= 0)
        return code;
    for (size_t i = 0; i < s->profiles; i++) {
        if (p.columns.times[i] >= from_ns && p.columns.times[i] <= until_ns &&
            memcmp(p.ids + i * SLICE_ID_SIZE, id.p, SLICE_ID_SIZE) == 0)
            return 1;
    }
    return 0;
}

int slices_have(struct db *db, int64_t series, int64_t from_ns, int64_t until_ns, struct str id, struct err *err)
{
    cleanup_slice_list struct slice_list slices = {0};
    int code = id.n == SLICE_ID_SIZE ? slices_of(db, series, from_ns, until_ns, &slices, err) : 0;
    for (size_t i = slices.len; code == 0 && i-- > 0;)
        code = slice_has(db, &slices.items[i], from_ns, until_ns, id, err);
    return code;
}

static int64_t slice_total(const struct columns *c)
{
    int64_t total = 0;
    for (size_t i = 0; i < c->n; i++) {
        if (__builtin_add_overflow(total, c->totals[i], &total))
            return INT64_MAX;
    }
    return total;
}

int slice_add(struct db *db, const struct slice_new *s, struct err *err)
{
    const struct columns *c = &s->columns;
    cleanup_buf struct buf columns = BUF_INIT(SLICE_BLOB_MAX), ids = BUF_INIT(SLICE_BLOB_MAX);
    const uint64_t sum = XXH3_64bits(s->ids, c->n * SLICE_ID_SIZE);
    columns_put(c, &columns);
    buf_append(&ids, &sum, sizeof sum);
    buf_append(&ids, s->ids, c->n * SLICE_ID_SIZE);
    if (!buf_ok(&columns) || !buf_ok(&ids) || c->n == 0)
        return err_set(err, -EINVAL, "a slice is too large, or has no profile");
    sqlite3_stmt *st = db_statement(db, DB_SLICE_ADD, err);
    if (!st)
        return err->code;
    int64_t first = c->times[0], last = first;
    for (size_t i = 1; i < c->n; i++) {
        first = c->times[i] < first ? c->times[i] : first;
        last = c->times[i] > last ? c->times[i] : last;
    }
    db_bind(st, 1, s->series);
    db_bind(st, 2, s->block);
    db_bind(st, 3, first);
    db_bind(st, 4, last);
    db_bind(st, 5, (int64_t)c->n);
    db_bind(st, 6, slice_total(c));
    db_bind_blob(st, 7, buf_slice(&columns));
    db_bind_blob(st, 8, buf_slice(&ids));
    db_bind_blob(st, 9, s->sum);
    db_bind_blob(st, 10, s->rows);
    db_bind(st, 11, s->id);
    return db_step(db, st, err);
}
