#include "store/query.h"

#include <errno.h>
#include <stdlib.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "base/mem.h"
#include "store/flame_merge.h"
#include "store/labels_key.h"
#include "store/reader.h"

enum {
    ROWS_MAX = 1 << 18, /* profiles of one query */
    SERIES_MAX = 1 << 16,
};

static int64_t query_ms_to_ns(int64_t ms)
{
    return ms > INT64_MAX / NS_PER_MS ? INT64_MAX : ms < 0 ? 0 : ms * NS_PER_MS;
}

/* The end is inclusive to the millisecond. */
static void query_bind_range(sqlite3_stmt *st, int first, struct store_range range)
{
    int64_t until = query_ms_to_ns(range.until_ms);
    db_bind(st, first, query_ms_to_ns(range.from_ms));
    db_bind(st, first + 1, until > INT64_MAX - 999999 ? INT64_MAX : until + 999999);
}

static int query_noted(struct store_reader *r, int code, const struct err *err)
{
    if (code == -EBADMSG)
        r->damaged = *err;
    return code;
}

int store_services(struct store_reader *r, struct store_range range,
                   void (*visit)(void *arg, const struct store_service *s), void *arg, struct err *err)
{
    sqlite3_stmt *st = db_statement(r->db, DB_SERVICES, err);
    if (!st)
        return query_noted(r, err->code, err);
    query_bind_range(st, 1, range);
    int code;
    while ((code = db_step(r->db, st, err)) == 1) {
        struct store_service s = {db_column(st, 0), (uint64_t)sqlite3_column_int64(st, 1),
                                  sqlite3_column_int64(st, 2) / 1000000};
        visit(arg, &s);
    }
    return query_noted(r, code, err);
}

int store_types(struct store_reader *r, struct str service, struct store_range range,
                void (*visit)(void *arg, const struct store_type *t), void *arg, struct err *err)
{
    sqlite3_stmt *st = db_statement(r->db, DB_TYPES, err);
    if (!st)
        return query_noted(r, err->code, err);
    query_bind_range(st, 1, range);
    db_bind_text(st, 3, service);
    int code;
    while ((code = db_step(r->db, st, err)) == 1) {
        double total = sqlite3_column_double(st, 2);
        struct store_type t = {db_column(st, 0), (uint64_t)sqlite3_column_int64(st, 1),
                               total < 9e18 ? (int64_t)total : INT64_MAX};
        visit(arg, &t);
    }
    return query_noted(r, code, err);
}

/* ---- selections ---- */

struct id_list {
    int64_t *items;
    size_t len, cap;
};

static void query_id_list_done(struct id_list *l)
{
    free(l->items);
}

static int query_select_series(struct store_reader *r, const struct store_selection *what, struct id_list *out,
                               struct err *err)
{
    sqlite3_stmt *st = db_statement(r->db, DB_SELECT_SERIES, err);
    if (!st)
        return err->code;
    db_bind_text(st, 1, what->service);
    db_bind_text(st, 2, what->type);
    int code;
    while ((code = db_step(r->db, st, err)) == 1) {
        bool matches = out->len < SERIES_MAX;
        for (size_t i = 0; matches && i < what->label_count; i++)
            matches = labels_key_matches(db_column(st, 1), what->labels[i].name, what->labels[i].value);
        if (!matches)
            continue;
        xgrow(&out->items, &out->cap, out->len + 1, sizeof *out->items);
        out->items[out->len++] = sqlite3_column_int64(st, 0);
    }
    return code;
}

/* One stored row: these samples of that body. */
struct stored_row {
    int64_t body, split;
    int32_t type;
};
struct row_list {
    struct stored_row *items;
    size_t len, cap;
};

static void query_row_list_done(struct row_list *l)
{
    free(l->items);
}

static int query_by_body(const void *a, const void *b)
{
    const struct stored_row *x = a, *y = b;
    return x->body < y->body ? -1 : x->body > y->body;
}

static int query_select_rows(struct store_reader *r, const struct store_selection *what, struct row_list *out,
                             struct store_span *span, struct err *err)
{
    __attribute__((cleanup(query_id_list_done))) struct id_list series = {0};
    int code = query_select_series(r, what, &series, err);
    for (size_t i = 0; code == 0 && i < series.len; i++) {
        sqlite3_stmt *st = db_statement(r->db, DB_SELECT_PROFILES, err);
        if (!st)
            return err->code;
        db_bind(st, 1, series.items[i]);
        query_bind_range(st, 2, what->range);
        while ((code = db_step(r->db, st, err)) == 1) {
            if (out->len == ROWS_MAX) {
                sqlite3_reset(st);
                return err_set(err, -EMSGSIZE, "more than %d profiles: choose a shorter time range", ROWS_MAX);
            }
            xgrow(&out->items, &out->cap, out->len + 1, sizeof *out->items);
            out->items[out->len++] = (struct stored_row){sqlite3_column_int64(st, 0), sqlite3_column_int64(st, 2),
                                                         sqlite3_column_int(st, 1)};
            int64_t start = sqlite3_column_int64(st, 3), end;
            if (__builtin_add_overflow(start, sqlite3_column_int64(st, 4), &end))
                end = start;
            span->first_ns = span->profiles == 0 || start < span->first_ns ? start : span->first_ns;
            span->last_ns = end > span->last_ns ? end : span->last_ns;
            span->profiles = 1; /* at least */
        }
    }
    if (code < 0 || out->len == 0)
        return code;
    qsort(out->items, out->len, sizeof *out->items, query_by_body);
    for (size_t i = 1; i < out->len; i++)
        span->profiles += out->items[i].body != out->items[i - 1].body;
    return 0;
}

/* ---- merging ---- */

/* Bodies on their way through the parser, about as many as are sent at once. */
struct query_segment {
    struct parser_item items[PARSER_BATCH_ITEMS];
    size_t count, bytes;
};
enum { SEGMENT_BYTES = 1 << 20 };

static void query_segment_free(struct query_segment **s)
{
    for (size_t i = 0; i < (*s)->count; i++) {
        free((void *)(*s)->items[i].head.p);
        free((void *)(*s)->items[i].bytes.p);
    }
    free(*s);
}

static struct str query_copy(const void *p, size_t n)
{
    char *copy = xmalloc(n + 1);
    if (n)
        memcpy(copy, p, n);
    return (struct str){copy, n};
}

/* Rows of one body. */
static int query_add_body(struct store_reader *r, struct query_segment *s, const struct stored_row *rows, size_t n,
                          struct err *err)
{
    sqlite3_stmt *st = db_statement(r->db, DB_BODY_READ, err);
    if (!st)
        return err->code;
    db_bind(st, 1, rows->body);
    const int code = db_step(r->db, st, err);
    if (code <= 0)
        return code; /* gone by retention since the rows were read */
    cleanup_free struct flame_part *parts = xcalloc(n, sizeof *parts);
    for (size_t i = 0; i < n; i++)
        parts[i] = (struct flame_part){rows[i].split, rows[i].type};
    const struct str bytes = db_column(st, 0);
    s->items[s->count++] = (struct parser_item){query_copy(parts, n * sizeof *parts), query_copy(bytes.p, bytes.n)};
    s->bytes += bytes.n;
    sqlite3_reset(st);
    return 0;
}

/* From row `*at` on. */
static int query_fill(struct store_reader *r, struct query_segment *s, const struct row_list *rows, size_t *at,
                      struct err *err)
{
    int code = 0;
    while (code == 0 && *at < rows->len && s->count < PARSER_BATCH_ITEMS && s->bytes < SEGMENT_BYTES) {
        const struct stored_row *first = &rows->items[*at];
        size_t n = 1;
        while (*at + n < rows->len && first[n].body == first->body)
            n++;
        code = query_add_body(r, s, first, n, err);
        *at += n;
    }
    return code;
}

/* A body that ends the parser is left out, like one that cannot be decoded. */
static int query_merge(struct store_reader *r, const struct query_segment *s, struct flame *out, struct err *err)
{
    cleanup_parser_batch struct parser_batch b = {.pool = r->parsers,
                                                  .service = &flame_merge_service,
                                                  .items = s->items,
                                                  .count = s->count,
                                                  .answer_max = FLAME_MERGE_MAX,
                                                  .check = flame_merge_check};
    struct parser_answer a;
    int code;
    while ((code = parser_batch_next(&b, &a, err)) > 0 || code == -ECANCELED) {
        if (code > 0)
            flame_merge_add(out, a.bytes);
    }
    for (size_t i = 0; i < PARSER_ENDINGS; i++)
        r->endings[i] += b.endings[i];
    r->set_aside += b.set_aside;
    return code;
}

static int query_merge_rows(struct store_reader *r, const struct row_list *rows, struct flame *out, struct err *err)
{
    const int64_t deadline = clock_ms() + STORE_QUERY_MS;
    int code = 0;
    for (size_t at = 0; code == 0 && at < rows->len;) {
        __attribute__((cleanup(query_segment_free))) struct query_segment *s = xcalloc(1, sizeof *s);
        code = query_fill(r, s, rows, &at, err);
        if (code == 0)
            code = query_merge(r, s, out, err);
        if (code == 0 && clock_ms() > deadline)
            code = err_set(err, -ETIMEDOUT, "the query took more than %d s: choose a shorter time range",
                           STORE_QUERY_MS / 1000);
    }
    return code;
}

int store_flame(struct store_reader *r, const struct store_selection *what, struct flame *out, struct store_span *span,
                struct err *err)
{
    __attribute__((cleanup(query_row_list_done))) struct row_list rows = {0};
    struct store_span found = {0};
    int code = query_select_rows(r, what, &rows, &found, err);
    if (code == 0)
        code = query_merge_rows(r, &rows, out, err);
    if (code == 0)
        *span = found;
    return query_noted(r, code, err);
}

int store_timeline(struct store_reader *r, const struct store_selection *what, int64_t step_ms, int64_t *buckets,
                   size_t n, struct err *err)
{
    __attribute__((cleanup(query_id_list_done))) struct id_list series = {0};
    int code = query_select_series(r, what, &series, err);
    for (size_t i = 0; code == 0 && i < series.len; i++) {
        sqlite3_stmt *st = db_statement(r->db, DB_TOTALS, err);
        if (!st)
            return query_noted(r, err->code, err);
        db_bind(st, 1, series.items[i]);
        query_bind_range(st, 2, what->range);
        while ((code = db_step(r->db, st, err)) == 1) {
            int64_t at = (sqlite3_column_int64(st, 0) / 1000000 - what->range.from_ms) / step_ms;
            if (at >= 0 && (uint64_t)at < n &&
                __builtin_add_overflow(buckets[at], sqlite3_column_int64(st, 1), &buckets[at]))
                buckets[at] = INT64_MAX;
        }
    }
    return query_noted(r, code, err);
}
