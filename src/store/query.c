#include "store/query.h"

#include <errno.h>
#include <stdlib.h>

#include "base/cleanup.h"
#include "base/mem.h"
#include "store/flame_merge.h"
#include "store/labels_key.h"
#include "store/reader.h"
#include "store/select.h"

int store_services(struct store_reader *r, struct store_range range,
                   void (*visit)(void *arg, const struct store_service *s), void *arg, struct err *err)
{
    sqlite3_stmt *st = db_statement(r->db, DB_SERVICES, err);
    if (!st)
        return reader_noted(r, err->code, err);
    reader_bind_range(st, 1, range.from_ms, range.until_ms);
    int code;
    while ((code = db_step(r->db, st, err)) == 1) {
        struct store_service s = {db_column(st, 0), (uint64_t)sqlite3_column_int64(st, 1),
                                  sqlite3_column_int64(st, 2) / 1000000};
        visit(arg, &s);
    }
    return reader_noted(r, code, err);
}

int store_types(struct store_reader *r, struct str service, struct store_range range,
                void (*visit)(void *arg, const struct store_type *t), void *arg, struct err *err)
{
    sqlite3_stmt *st = db_statement(r->db, DB_TYPES, err);
    if (!st)
        return reader_noted(r, err->code, err);
    reader_bind_range(st, 1, range.from_ms, range.until_ms);
    db_bind_text(st, 3, service);
    int code;
    while ((code = db_step(r->db, st, err)) == 1) {
        double total = sqlite3_column_double(st, 2);
        struct store_type t = {db_column(st, 0), (uint64_t)sqlite3_column_int64(st, 1),
                               total < 9e18 ? (int64_t)total : INT64_MAX};
        visit(arg, &t);
    }
    return reader_noted(r, code, err);
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

static void query_add_id(void *arg, const struct store_series *s)
{
    struct id_list *out = arg;
    xgrow(&out->items, &out->cap, out->len + 1, sizeof *out->items);
    out->items[out->len++] = s->id;
}

static int query_select_series(struct store_reader *r, const struct store_filter *filter, struct id_list *out,
                               struct err *err)
{
    return store_each_series(r, filter, query_add_id, out, err);
}

static int query_selector_of(const struct store_selection *what, struct label_selector *out, struct err *err)
{
    int code = label_selector_add_equal(out, STR("service_name"), what->service, err);
    if (code == 0)
        code = label_selector_add_equal(out, STR("__profile_type__"), what->type, err);
    for (size_t i = 0; code == 0 && i < what->label_count; i++)
        code = label_selector_add_equal(out, what->labels[i].name, what->labels[i].value, err);
    return code;
}

/* One stored row: these samples of that body. */
struct stored_row {
    int64_t body, split, duration_ns;
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

static void query_span_add(struct store_span *span, bool first, int64_t start, int64_t duration)
{
    int64_t end;
    if (__builtin_add_overflow(start, duration, &end))
        end = start;
    span->first_ns = first || start < span->first_ns ? start : span->first_ns;
    span->last_ns = end > span->last_ns ? end : span->last_ns;
}

/* Bodies that are wanted alone, by their ids. */
static int query_find_bodies(struct store_reader *r, const struct store_merge *how, struct u64map *out, struct err *err)
{
    for (size_t i = 0; i < how->profile_count; i++) {
        sqlite3_stmt *st = db_statement(r->db, DB_BODY_FIND, err);
        if (!st)
            return err->code;
        db_bind_blob(st, 1, (struct str){(const char *)how->profiles[i], PROFILE_ID_SIZE});
        const int code = db_step(r->db, st, err);
        if (code < 0)
            return code;
        if (code == 1)
            u64map_put(out, (uint64_t)sqlite3_column_int64(st, 0), 1);
        sqlite3_reset(st);
    }
    return 0;
}

static int query_select_rows_of(struct store_reader *r, int64_t series, struct store_range range,
                                const struct u64map *bodies, struct row_list *out, struct store_span *span,
                                struct err *err)
{
    const int64_t max = reader_limit(r->limits.profiles, QUERY_PROFILES_MAX);
    sqlite3_stmt *st = db_statement(r->db, DB_SELECT_PROFILES, err);
    int code;
    if (!st)
        return err->code;
    db_bind(st, 1, series);
    reader_bind_range(st, 2, range.from_ms, range.until_ms);
    while ((code = db_step(r->db, st, err)) == 1) {
        const struct stored_row row = {sqlite3_column_int64(st, 0), sqlite3_column_int64(st, 2),
                                       sqlite3_column_int64(st, 4), sqlite3_column_int(st, 1)};
        uint64_t ignored;
        if (bodies && !u64map_get(bodies, (uint64_t)row.body, &ignored))
            continue;
        if (out->len == (size_t)max) {
            sqlite3_reset(st);
            return err_set(err, -EMSGSIZE,
                           "more than %lld profiles: choose a shorter time range, or raise --store.query-profiles",
                           (long long)max);
        }
        xgrow(&out->items, &out->cap, out->len + 1, sizeof *out->items);
        out->items[out->len++] = row;
        query_span_add(span, out->len == 1, sqlite3_column_int64(st, 3), row.duration_ns);
    }
    return code;
}

static int query_select_rows(struct store_reader *r, const struct store_filter *filter, const struct store_merge *how,
                             struct row_list *out, struct store_span *span, struct err *err)
{
    __attribute__((cleanup(query_id_list_done))) struct id_list series = {0};
    cleanup_u64map struct u64map bodies = U64MAP_INIT;
    int code = query_select_series(r, filter, &series, err);
    if (code == 0)
        code = query_find_bodies(r, how, &bodies, err);
    for (size_t i = 0; code == 0 && i < series.len; i++)
        code = query_select_rows_of(r, series.items[i], filter->range, how->profile_count ? &bodies : NULL, out, span,
                                    err);
    if (code == 0 && out->len)
        qsort(out->items, out->len, sizeof *out->items, query_by_body);
    for (size_t i = 0; i < out->len; i++) {
        if (i && out->items[i].body == out->items[i - 1].body)
            continue;
        span->duration_ns = flame_sum(span->duration_ns, out->items[i].duration_ns);
        span->profiles++;
    }
    return code;
}

/* ---- merging ---- */

/* Bodies on their way through the parser, about as many as are sent at once. */
struct query_segment {
    struct parser_item items[PARSER_BATCH_ITEMS];
    size_t count, bytes;
};
enum { SEGMENT_BYTES = 1 << 20, QUERY_HEAD_MAX = 4 << 20 };

/* A merge on its way. */
struct query_merge {
    const struct store_merge *how;
    struct flame *out;
    struct store_span *span;
};

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

static void query_put_head(const struct query_merge *merge, const struct stored_row *rows, size_t n, struct buf *out)
{
    const struct store_merge *m = merge->how;
    const struct flame_ask ask = {.lines = m->lines,
                                  .nodes = (uint32_t)merge->out->nodes_max,
                                  .spans = m->spans,
                                  .traces = m->traces,
                                  .span_count = m->span_count,
                                  .trace_count = m->trace_count};
    flame_ask_put(&ask, out);
    for (size_t i = 0; i < n; i++) {
        const struct flame_part part = {rows[i].split, rows[i].type};
        buf_append(out, &part, sizeof part);
    }
}

/* Rows of one body. */
static int query_add_body(struct store_reader *r, const struct query_merge *m, struct query_segment *s,
                          const struct stored_row *rows, size_t n, struct err *err)
{
    sqlite3_stmt *st = db_statement(r->db, DB_BODY_READ, err);
    if (!st)
        return err->code;
    db_bind(st, 1, rows->body);
    const int code = db_step(r->db, st, err);
    if (code <= 0)
        return code; /* gone by retention since the rows were read */
    cleanup_buf struct buf head = BUF_INIT(QUERY_HEAD_MAX);
    query_put_head(m, rows, n, &head);
    if (!buf_ok(&head)) {
        sqlite3_reset(st);
        return err_set(err, -EMSGSIZE, "a stored profile has too many series");
    }
    const struct str bytes = db_column(st, 0);
    s->items[s->count++] = (struct parser_item){query_copy(head.p, head.len), query_copy(bytes.p, bytes.n)};
    s->bytes += bytes.n;
    sqlite3_reset(st);
    return 0;
}

/* From row `*at` on. */
static int query_fill(struct store_reader *r, const struct query_merge *m, struct query_segment *s,
                      const struct row_list *rows, size_t *at, struct err *err)
{
    int code = 0;
    while (code == 0 && *at < rows->len && s->count < PARSER_BATCH_ITEMS && s->bytes < SEGMENT_BYTES) {
        const struct stored_row *first = &rows->items[*at];
        size_t n = 1;
        while (*at + n < rows->len && first[n].body == first->body)
            n++;
        code = query_add_body(r, m, s, first, n, err);
        *at += n;
    }
    return code;
}

/* A body that ends the parser is left out, like one that cannot be decoded. */
static int query_merge(struct store_reader *r, const struct query_segment *s, const struct query_merge *m,
                       struct err *err)
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
        if (code <= 0)
            continue;
        const int64_t period = flame_merge_period(a.bytes);
        flame_merge_add(m->out, a.bytes);
        m->span->period = period > m->span->period ? period : m->span->period;
    }
    for (size_t i = 0; i < PARSER_ENDINGS; i++)
        r->endings[i] += b.endings[i];
    r->set_aside += b.set_aside;
    return code;
}

static int query_merge_rows(struct store_reader *r, const struct row_list *rows, const struct query_merge *m,
                            struct err *err)
{
    int code = 0;
    for (size_t at = 0; code == 0 && at < rows->len;) {
        __attribute__((cleanup(query_segment_free))) struct query_segment *s = xcalloc(1, sizeof *s);
        code = query_fill(r, m, s, rows, &at, err);
        if (code == 0)
            code = query_merge(r, s, m, err);
        if (code == 0)
            code = reader_in_time(r, err);
    }
    return code;
}

int store_merge(struct store_reader *r, const struct store_filter *filter, const struct store_merge *how,
                struct flame *out, struct store_span *span, struct err *err)
{
    __attribute__((cleanup(query_row_list_done))) struct row_list rows = {0};
    struct store_span found = {0};
    const struct query_merge m = {how, out, &found};
    int code = query_select_rows(r, filter, how, &rows, &found, err);
    if (code == 0)
        code = query_merge_rows(r, &rows, &m, err);
    if (code == 0)
        *span = found;
    return reader_noted(r, code, err);
}

int store_flame(struct store_reader *r, const struct store_selection *what, struct flame *out, struct store_span *span,
                struct err *err)
{
    cleanup_label_selector struct label_selector selector = LABEL_SELECTOR_INIT;
    const struct store_filter filter = {&selector, what->range};
    const struct store_merge how = {0};
    const int code = query_selector_of(what, &selector, err);
    return code < 0 ? code : store_merge(r, &filter, &how, out, span, err);
}

int store_timeline(struct store_reader *r, const struct store_selection *what, int64_t step_ms, int64_t *buckets,
                   size_t n, struct err *err)
{
    __attribute__((cleanup(query_id_list_done))) struct id_list series = {0};
    cleanup_label_selector struct label_selector selector = LABEL_SELECTOR_INIT;
    int code = query_selector_of(what, &selector, err);
    if (code == 0)
        code = query_select_series(r, &(struct store_filter){&selector, what->range}, &series, err);
    for (size_t i = 0; code == 0 && i < series.len; i++) {
        sqlite3_stmt *st = db_statement(r->db, DB_TOTALS, err);
        if (!st)
            return reader_noted(r, err->code, err);
        db_bind(st, 1, series.items[i]);
        reader_bind_range(st, 2, what->range.from_ms, what->range.until_ms);
        while ((code = db_step(r->db, st, err)) == 1) {
            int64_t at = (sqlite3_column_int64(st, 0) / 1000000 - what->range.from_ms) / step_ms;
            if (at >= 0 && (uint64_t)at < n &&
                __builtin_add_overflow(buckets[at], sqlite3_column_int64(st, 1), &buckets[at]))
                buckets[at] = INT64_MAX;
        }
    }
    return reader_noted(r, code, err);
}
