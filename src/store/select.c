#include "store/select.h"

#include <errno.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/mem.h"
#include "store/reader.h"

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
        labels_key_expand(db_column(st, 1), labels);
        if ((code = reader_in_time(r, err)) == 0 && label_selector_matches(what->selector, labels)) {
            if (++n > max)
                code =
                    err_set(err, -EMSGSIZE, "more than %lld series: add label matchers, or raise --store.query-series",
                            (long long)max);
            else
                visit(arg, &(struct store_series){sqlite3_column_int64(st, 0), labels});
        }
        if (code < 0) {
            sqlite3_reset(st);
            break;
        }
    }
    return reader_noted(r, code, err);
}

struct point_walk {
    struct store_reader *r;
    struct store_range range;
    void (*visit)(void *arg, const struct store_point *p);
    void *arg;
    int code;
    struct err *err;
};

static int select_points_of(struct point_walk *w, const struct store_series *series)
{
    struct store_point point = {.series = series};
    sqlite3_stmt *st = db_statement(w->r->db, DB_POINTS, w->err);
    if (!st)
        return w->err->code;
    db_bind(st, 1, series->id);
    reader_bind_range(st, 2, w->range.from_ms, w->range.until_ms);
    int code;
    while ((code = db_step(w->r->db, st, w->err)) == 1) {
        const struct str id = db_column(st, 2);
        point.time_ns = sqlite3_column_int64(st, 0);
        point.total = sqlite3_column_int64(st, 1);
        memset(point.id, 0, sizeof point.id);
        memcpy(point.id, id.p, id.n < sizeof point.id ? id.n : sizeof point.id);
        w->visit(w->arg, &point);
        if ((code = reader_in_time(w->r, w->err)) < 0) {
            sqlite3_reset(st);
            break;
        }
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
    const int code = store_each_series(r, what, select_points, &w, err);
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
    sqlite3_stmt *st = db_statement(r->db, DB_BODY_BYTES, err);
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
