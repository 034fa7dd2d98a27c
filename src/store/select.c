#include "store/select.h"

#include <errno.h>

#include "base/cleanup.h"
#include "base/mem.h"
#include "store/reader.h"

static sqlite3_stmt *select_series_statement(struct store_reader *r, const struct store_filter *what, struct err *err)
{
    const struct str service = selector_value(what->selector, STR("service_name")),
                     type = selector_value(what->selector, STR("__profile_type__"));
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
        if ((code = reader_in_time(r, err)) == 0 && selector_matches(what->selector, labels)) {
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
