#include "store/select.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/mem.h"
#include "store/reader.h"
#include "store/slices.h"

enum { POINTS_AT_ONCE = 256 }; /* between two looks at the clock */

static sqlite3_stmt *select_series_statement(struct store_reader *r, const struct store_filter *what, struct err *err)
{
    const struct str service = label_selector_value(what->selector, STR("service_name")),
                     type = label_selector_value(what->selector, STR("__profile_type__"));
    sqlite3_stmt *st = db_statement(r->db, service.n ? DB_SERIES_OF_SERVICE : DB_SERIES_OF_ALL, err);
    if (!st)
        return NULL;
    reader_bind_range(st, 1, what->range.from_ms, what->range.until_ms);
    if (service.n)
        db_bind_text(st, 3, service);
    db_bind_text(st, 4, type);
    return st;
}

/* Whether a series of which slices only surround the range has a profile in it. */
static int select_has_any(struct store_reader *r, int64_t series, struct store_range range, struct err *err)
{
    cleanup_slice_list struct slice_list slices = {0};
    int64_t from_ns, until_ns;
    bool any = false;
    reader_range_ns(range.from_ms, range.until_ms, &from_ns, &until_ns);
    int code = slices_of(r->db, series, from_ns, until_ns, &slices, err);
    for (size_t i = 0; code == 0 && i < slices.len && !any; i++) {
        cleanup_slice_profiles struct slice_profiles p = {0};
        code = slice_read(r->db, &slices.items[i], &p, err);
        for (size_t k = 0; k < p.columns.n && !any; k++)
            any = p.columns.times[k] >= from_ns && p.columns.times[k] <= until_ns;
        if (code == 0)
            reader_leave_out(r, READER_SLICE, slices.items[i].id);
        code = code < 0 ? code : 0;
    }
    return code < 0 ? code : any;
}

/* 1: the series of a row is selected. */
static int select_row(struct store_reader *r, const struct store_filter *what, sqlite3_stmt *st,
                      struct label_list *labels, struct err *err)
{
    labels_key_expand(db_column(st, 1), labels);
    const int code = reader_in_time(r, err);
    if (code < 0 || !label_selector_matches(what->selector, labels))
        return code;
    return sqlite3_column_int(st, 2) ? 1 : select_has_any(r, sqlite3_column_int64(st, 0), what->range, err);
}

int store_each_series(struct store_reader *r, const struct store_filter *what,
                      void (*visit)(void *arg, const struct store_series *s), void *arg, struct err *err)
{
    cleanup_free struct label_list *labels = xmalloc(sizeof *labels);
    const int64_t max = reader_limit(r->limits.series, QUERY_SERIES_MAX);
    sqlite3_stmt *st = select_series_statement(r, what, err);
    if (!st)
        return reader_noted(r, err->code, err);
    int code;
    for (int64_t n = 0; (code = db_step(r->db, st, err)) == 1;) {
        code = select_row(r, what, st, labels, err);
        if (code == 1 && ++n > max)
            code = err_set(err, -EMSGSIZE, "more than %lld series: add label matchers, or raise --store.query-series",
                           (long long)max);
        if (code == 1)
            visit(arg, &(struct store_series){sqlite3_column_int64(st, 0), labels});
        if (code < 0) {
            sqlite3_reset(st);
            break;
        }
    }
    return reader_noted(r, code, err);
}

/* Points of one series, before they are sorted. */
struct point_list {
    struct store_point *items;
    size_t len, cap;
};

struct point_walk {
    struct store_reader *r;
    struct store_range range;
    int64_t from_ns, until_ns;
    void (*visit)(void *arg, const struct store_point *p);
    void *arg;
    int code;
    struct err *err;
    struct point_list points;
};

static void select_add_point(struct point_walk *w, const struct store_series *series, int64_t time_ns, int64_t total,
                             struct str id)
{
    struct point_list *l = &w->points;
    xgrow(&l->items, &l->cap, l->len + 1, sizeof *l->items);
    struct store_point *p = &l->items[l->len++];
    *p = (struct store_point){.series = series, .time_ns = time_ns, .total = total};
    if (id.n)
        memcpy(p->id, id.p, id.n < sizeof p->id ? id.n : sizeof p->id);
}

static int select_journal_points(struct point_walk *w, const struct store_series *series)
{
    sqlite3_stmt *st = db_statement(w->r->db, DB_POINTS, w->err);
    int code;
    if (!st)
        return w->err->code;
    db_bind(st, 1, series->id);
    reader_bind_range(st, 2, w->range.from_ms, w->range.until_ms);
    while ((code = db_step(w->r->db, st, w->err)) == 1)
        select_add_point(w, series, sqlite3_column_int64(st, 0), sqlite3_column_int64(st, 1), db_column(st, 2));
    return code;
}

static int select_slice_points(struct point_walk *w, const struct store_series *series, const struct slice *s)
{
    cleanup_slice_profiles struct slice_profiles p = {0};
    const int code = slice_read(w->r->db, s, &p, w->err);
    if (code == 0)
        reader_leave_out(w->r, READER_SLICE, s->id);
    for (size_t i = 0; i < p.columns.n; i++) {
        const struct str id = {(const char *)p.ids + i * SLICE_ID_SIZE, SLICE_ID_SIZE};
        if (p.columns.times[i] >= w->from_ns && p.columns.times[i] <= w->until_ns)
            select_add_point(w, series, p.columns.times[i], p.columns.totals[i], id);
    }
    return code < 0 ? code : reader_in_time(w->r, w->err);
}

/* Points of one time, in an order that stays when they are packed. */
static int select_point_order(const void *a, const void *b)
{
    const struct store_point *x = a, *y = b;
    return x->time_ns != y->time_ns ? (x->time_ns < y->time_ns ? -1 : 1) : memcmp(x->id, y->id, sizeof x->id);
}

static int select_points_of(struct point_walk *w, const struct store_series *series)
{
    cleanup_slice_list struct slice_list slices = {0};
    w->points.len = 0;
    int code = select_journal_points(w, series);
    if (code == 0)
        code = slices_of(w->r->db, series->id, w->from_ns, w->until_ns, &slices, w->err);
    for (size_t i = 0; code == 0 && i < slices.len; i++)
        code = select_slice_points(w, series, &slices.items[i]);
    if (code < 0)
        return code;
    if (w->points.len)
        qsort(w->points.items, w->points.len, sizeof *w->points.items, select_point_order);
    for (size_t i = 0; code == 0 && i < w->points.len; i++) {
        w->visit(w->arg, &w->points.items[i]);
        code = i % POINTS_AT_ONCE ? 0 : reader_in_time(w->r, w->err);
    }
    return code;
}

static void select_points(void *arg, const struct store_series *series)
{
    struct point_walk *w = arg;
    if (w->code == 0)
        w->code = select_points_of(w, series);
}

int store_each_point(struct store_reader *r, const struct store_filter *what,
                     void (*visit)(void *arg, const struct store_point *p), void *arg, struct err *err)
{
    struct point_walk w = {.r = r, .range = what->range, .visit = visit, .arg = arg, .err = err};
    reader_range_ns(what->range.from_ms, what->range.until_ms, &w.from_ns, &w.until_ns);
    const int code = store_each_series(r, what, select_points, &w, err);
    free(w.points.items);
    return reader_noted(r, code < 0 ? code : w.code, err);
}

int store_read_bounds(struct store_reader *r, struct store_bounds *ret, struct err *err)
{
    sqlite3_stmt *st = db_statement(r->db, DB_BOUNDS, err);
    const int code = st ? db_step(r->db, st, err) : err->code;
    if (code < 0)
        return reader_noted(r, code, err);
    *ret = (struct store_bounds){sqlite3_column_int64(st, 0), sqlite3_column_int64(st, 1)};
    sqlite3_reset(st);
    return 0;
}

int store_range_bytes(struct store_reader *r, struct store_range range, int64_t *ret, struct err *err)
{
    sqlite3_stmt *st = db_statement(r->db, DB_RANGE_BYTES, err);
    if (!st)
        return reader_noted(r, err->code, err);
    reader_bind_range(st, 1, range.from_ms, range.until_ms);
    const int code = db_step(r->db, st, err);
    if (code < 0)
        return reader_noted(r, code, err);
    *ret = sqlite3_column_int64(st, 0);
    sqlite3_reset(st);
    return 0;
}
