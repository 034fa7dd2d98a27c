#include "store/query.h"

#include <errno.h>
#include <stdlib.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "base/id_map.h"
#include "base/mem.h"
#include "pprof/decode.h"
#include "store/labels_key.h"
#include "store/limits.h"
#include "store/reader.h"
#include "store/splits.h"

enum {
    SYMBOLS_MAX = 16 << 20, /* shared by the profiles of one query, started afresh when full */
    ROWS_MAX = 1 << 18,     /* profiles of one query */
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
            span->profiles++;
        }
    }
    if (code == 0 && out->len)
        qsort(out->items, out->len, sizeof *out->items, query_by_body);
    return code;
}

/* ---- merging ---- */

/* Profiles of one service repeat their symbols and stacks: decoded into shared symbols, each distinct stack is walked
 * once. */
struct merge {
    struct db *db;
    struct flame *flame;
    struct symbols symbols;
    struct flame_frames frames;
    struct id_map node_of_stack; /* node + 1; 0 = not walked yet */
};

static void query_merge_reset(struct merge *m)
{
    symbols_done(&m->symbols);
    symbols_init(&m->symbols, SYMBOLS_MAX);
    flame_frames_done(&m->frames);
    id_map_done(&m->node_of_stack);
}

static uint32_t query_node_of(struct merge *m, uint32_t stack)
{
    uint32_t *node = id_map_at(&m->node_of_stack, stack);
    if (!node)
        return flame_stack(m->flame, &m->frames, 0, &m->symbols, stack);
    if (*node == 0)
        *node = flame_stack(m->flame, &m->frames, 0, &m->symbols, stack) + 1;
    return *node - 1;
}

/* The rows of one body by split, as lists: a body may have thousands, and each of its samples asks for those of one. */
struct rows_by_split {
    struct u64map first; /* split -> row + 1 */
    uint32_t *next;      /* owned; row + 1, 0 = the last */
};

static void query_rows_by_split_done(struct rows_by_split *r)
{
    u64map_done(&r->first);
    free(r->next);
}

static void query_rows_by_split_init(struct rows_by_split *r, const struct stored_row *rows, size_t n)
{
    *r = (struct rows_by_split){.next = xcalloc(n, sizeof *r->next)};
    for (size_t k = n; k-- > 0;) {
        uint64_t *first = u64map_add(&r->first, (uint64_t)rows[k].split, 0, NULL);
        r->next[k] = (uint32_t)*first;
        *first = k + 1;
    }
}

static void query_merge_profile(struct merge *m, const struct profile *p, const struct stored_row *rows, size_t n)
{
    cleanup_splits struct splits splits = SPLITS_INIT(&m->symbols);
    __attribute__((cleanup(query_rows_by_split_done))) struct rows_by_split by_split;
    query_rows_by_split_init(&by_split, rows, n);
    for (size_t i = 0; i < p->sample_count; i++) {
        const int64_t *values = profile_values(p, i);
        size_t at;
        if (!splits_counts(values, p->type_count) || splits_of(&splits, p->samples[i].labels, &at) < 0)
            continue;
        uint64_t k = 0;
        (void)u64map_get(&by_split.first, (uint64_t)splits.items[at].number, &k);
        for (; k; k = by_split.next[k - 1]) {
            const size_t type = (size_t)rows[k - 1].type;
            if (type < p->type_count && values[type])
                flame_add(m->flame, query_node_of(m, p->samples[i].stack), values[type]);
        }
    }
}

static int query_merge_body(struct merge *m, const struct stored_row *rows, size_t n, struct err *err)
{
    sqlite3_stmt *st = db_statement(m->db, DB_BODY_READ, err);
    if (!st)
        return err->code;
    db_bind(st, 1, rows->body);
    int code = db_step(m->db, st, err);
    if (code <= 0)
        return code; /* gone by retention since the rows were read */
    struct str bytes = db_column(st, 0);
    struct profile p;
    code = pprof_decode(bytes.p, bytes.n, STORE_PROFILE_MAX, &m->symbols, &p, err);
    if (code == -E2BIG) {
        query_merge_reset(m);
        code = pprof_decode(bytes.p, bytes.n, STORE_PROFILE_MAX, &m->symbols, &p, err);
    }
    sqlite3_reset(st);
    /* It was decoded when it came, so the bytes are what changed; one bad page must not hide everything else. */
    if (code == -EBADMSG || code == -EMSGSIZE || code == -E2BIG)
        return 0;
    if (code < 0)
        return code;
    query_merge_profile(m, &p, rows, n);
    profile_done(&p);
    return 0;
}

int store_flame(struct store_reader *r, const struct store_selection *what, struct flame *out, struct store_span *span,
                struct err *err)
{
    __attribute__((cleanup(query_row_list_done))) struct row_list rows = {0};
    struct store_span found = {0};
    int code = query_select_rows(r, what, &rows, &found, err);
    if (code < 0)
        return query_noted(r, code, err);
    int64_t deadline = clock_ms() + STORE_QUERY_MS;
    struct merge m = {.db = r->db, .flame = out};
    symbols_init(&m.symbols, SYMBOLS_MAX);
    for (size_t i = 0, n; code == 0 && i < rows.len; i += n) {
        for (n = 1; i + n < rows.len && rows.items[i + n].body == rows.items[i].body;)
            n++;
        code = query_merge_body(&m, &rows.items[i], n, err);
        if (code == 0 && clock_ms() > deadline)
            code = err_set(err, -ETIMEDOUT, "the query took more than %d s: choose a shorter time range",
                           STORE_QUERY_MS / 1000);
    }
    symbols_done(&m.symbols);
    flame_frames_done(&m.frames);
    id_map_done(&m.node_of_stack);
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
