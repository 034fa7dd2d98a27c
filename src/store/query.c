#include "store/query.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "base/mem.h"
#include "store/block_query.h"
#include "store/body_query.h"
#include "store/labels_key.h"
#include "store/reader.h"
#include "store/select.h"

/* ---- services and types ---- */

/* What there is of a service, or of a type. */
struct query_tally {
    char *name; /* owned */
    uint64_t profiles;
    int64_t last_ns;
    double total;
};
struct query_tallies {
    struct query_tally *items;
    size_t len, cap;
    struct strmap by_name; /* index + 1 */
};

static void query_tallies_done(struct query_tallies *t)
{
    for (size_t i = 0; i < t->len; i++)
        free(t->items[i].name);
    free(t->items);
    strmap_done(&t->by_name);
}

static void query_tally_add(struct query_tallies *t, struct str name, const struct query_tally *of)
{
    size_t at = (size_t)(uintptr_t)strmap_get(&t->by_name, name);
    if (at == 0) {
        xgrow(&t->items, &t->cap, t->len + 1, sizeof *t->items);
        t->items[t->len++] = (struct query_tally){.name = xstrndup(name.p ? name.p : "", name.n)};
        at = t->len;
        (void)strmap_put(&t->by_name, str_of(t->items[at - 1].name), (void *)(uintptr_t)at);
    }
    struct query_tally *to = &t->items[at - 1];
    to->profiles += of->profiles;
    to->total += of->total;
    to->last_ns = of->last_ns > to->last_ns ? of->last_ns : to->last_ns;
}

static int query_tally_order(const void *a, const void *b)
{
    return strcmp(((const struct query_tally *)a)->name, ((const struct query_tally *)b)->name);
}

/* A slice at the edge of the range. */
static int query_tally_slice(struct store_reader *r, const struct slice *s, int64_t from_ns, int64_t until_ns,
                             struct query_tally *out, struct err *err)
{
    cleanup_slice_profiles struct slice_profiles p = {0};
    const int code = slice_read(r->db, s, &p, err);
    if (code == 0)
        reader_leave_out(r, READER_SLICE, s->id);
    for (size_t i = 0; i < p.columns.n; i++) {
        const int64_t t = p.columns.times[i];
        if (t < from_ns || t > until_ns)
            continue;
        out->profiles++;
        out->total += (double)p.columns.totals[i];
        out->last_ns = t > out->last_ns ? t : out->last_ns;
    }
    return code < 0 ? code : reader_in_time(r, err);
}

/* What is packed, of one service or of all: by type, or by service. */
static int query_tally_slices(struct store_reader *r, struct store_range range, struct str service, bool by_type,
                              struct query_tallies *out, struct err *err)
{
    sqlite3_stmt *st = db_statement(r->db, DB_SLICES_ALL, err);
    int64_t from_ns, until_ns;
    int code;
    if (!st)
        return err->code;
    reader_range_ns(range.from_ms, range.until_ms, &from_ns, &until_ns);
    db_bind(st, 1, from_ns);
    db_bind(st, 2, until_ns);
    db_bind_text(st, 3, service);
    while ((code = db_step(r->db, st, err)) == 1) {
        const struct slice s = {.id = sqlite3_column_int64(st, 2),
                                .first_ns = sqlite3_column_int64(st, 4),
                                .last_ns = sqlite3_column_int64(st, 5),
                                .profiles = (size_t)sqlite3_column_int64(st, 6)};
        struct query_tally of = {0};
        if (s.first_ns >= from_ns && s.last_ns <= until_ns)
            of = (struct query_tally){NULL, s.profiles, s.last_ns, (double)sqlite3_column_int64(st, 7)};
        else if ((code = query_tally_slice(r, &s, from_ns, until_ns, &of, err)) < 0)
            break;
        if (of.profiles)
            query_tally_add(out, db_column(st, by_type ? 1 : 0), &of);
    }
    sqlite3_reset(st);
    return code < 0 ? code : 0;
}

static int query_tally(struct store_reader *r, struct store_range range, struct str service, bool by_type,
                       struct query_tallies *out, struct err *err)
{
    sqlite3_stmt *st = db_statement(r->db, by_type ? DB_TYPES : DB_SERVICES, err);
    int code;
    if (!st)
        return err->code;
    reader_bind_range(st, 1, range.from_ms, range.until_ms);
    if (by_type)
        db_bind_text(st, 3, service);
    while ((code = db_step(r->db, st, err)) == 1) {
        struct query_tally of = {.profiles = (uint64_t)sqlite3_column_int64(st, 1)};
        of.total = by_type ? sqlite3_column_double(st, 2) : 0;
        of.last_ns = by_type ? 0 : sqlite3_column_int64(st, 2);
        query_tally_add(out, db_column(st, 0), &of);
    }
    if (code == 0)
        code = query_tally_slices(r, range, service, by_type, out, err);
    if (code == 0 && out->len)
        qsort(out->items, out->len, sizeof *out->items, query_tally_order);
    return code;
}

int store_services(struct store_reader *r, struct store_range range,
                   void (*visit)(void *arg, const struct store_service *s), void *arg, struct err *err)
{
    __attribute__((cleanup(query_tallies_done))) struct query_tallies found = {0};
    const int code = query_tally(r, range, STR(""), false, &found, err);
    for (size_t i = 0; code == 0 && i < found.len; i++) {
        const struct query_tally *t = &found.items[i];
        visit(arg, &(struct store_service){str_of(t->name), t->profiles, t->last_ns / NS_PER_MS});
    }
    return reader_noted(r, code, err);
}

int store_types(struct store_reader *r, struct str service, struct store_range range,
                void (*visit)(void *arg, const struct store_type *t), void *arg, struct err *err)
{
    __attribute__((cleanup(query_tallies_done))) struct query_tallies found = {0};
    const int code = query_tally(r, range, service, true, &found, err);
    for (size_t i = 0; code == 0 && i < found.len; i++) {
        const struct query_tally *t = &found.items[i];
        visit(arg, &(struct store_type){str_of(t->name), t->profiles, t->total < 9e18 ? (int64_t)t->total : INT64_MAX});
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

/* ---- merging ---- */

/* What a merge selects: of the journal and of slices. */
struct query_parts {
    struct body_rows rows;
    struct slice_picks picks;
};

static void query_parts_done(struct query_parts *p)
{
    body_rows_done(&p->rows);
    slice_picks_done(&p->picks);
}

static int query_select_parts(struct store_reader *r, const struct store_filter *filter, const struct store_merge *how,
                              struct query_parts *out, struct err *err)
{
    __attribute__((cleanup(query_id_list_done))) struct id_list series = {0};
    cleanup_u64map struct u64map bodies = U64MAP_INIT;
    int64_t from_ns, until_ns;
    reader_range_ns(filter->range.from_ms, filter->range.until_ms, &from_ns, &until_ns);
    int code = query_select_series(r, filter, &series, err);
    if (code == 0)
        code = body_rows_find(r, how->profiles, how->profile_count, &bodies, err);
    for (size_t i = 0; code == 0 && i < series.len; i++) {
        code = body_rows_add(r, series.items[i], filter->range, how->profile_count ? &bodies : NULL, &out->rows, err);
        if (code == 0)
            code = slice_picks_add(r, series.items[i], from_ns, until_ns, &out->picks, err);
        r->held = out->rows.cap * sizeof *out->rows.items + out->picks.cap * sizeof *out->picks.items;
        if (code == 0)
            code = reader_in_memory(r, 0, err);
    }
    return code;
}

/* Profiles are counted once, by their ids, hour by hour: those of one content have one time. */
struct span_count {
    struct store_span *span;
    struct u64map seen;
    size_t rows;
};

static void query_span_add(struct span_count *c, int64_t time_ns, int64_t duration_ns, uint64_t id)
{
    struct store_span *span = c->span;
    int64_t end;
    bool added;
    if (__builtin_add_overflow(time_ns, duration_ns, &end))
        end = time_ns;
    span->first_ns = c->rows == 0 || time_ns < span->first_ns ? time_ns : span->first_ns;
    span->last_ns = end > span->last_ns ? end : span->last_ns;
    c->rows++;
    (void)u64map_add(&c->seen, id, 1, &added);
    if (added) {
        span->duration_ns = flame_sum(span->duration_ns, duration_ns);
        span->profiles++;
    }
}

static void query_span_add_slice(struct span_count *c, const struct slice_pick *pick, const struct slice_profiles *p)
{
    const size_t n = pick->rows ? pick->row_count : pick->slice.profiles;
    for (size_t i = 0; i < n; i++) {
        const size_t row = pick->rows ? pick->rows[i] : i;
        uint64_t id;
        memcpy(&id, p->ids + row * SLICE_ID_SIZE, sizeof id);
        query_span_add(c, p->columns.times[row], p->columns.durations[row], id);
    }
}

static int query_by_time(const void *a, const void *b)
{
    const struct body_row *x = a, *y = b;
    return x->time_ns < y->time_ns ? -1 : x->time_ns > y->time_ns;
}

/* Of one pick; those that are damaged are empty afterwards. Without a span, one that is wanted as a whole is not
 * read. */
static int query_count_slice(struct store_reader *r, struct slice_pick *pick, const struct slice_filter *filter,
                             struct span_count *c, size_t *single, struct err *err)
{
    cleanup_slice_profiles struct slice_profiles p = {0};
    if (!c->span && slice_pick_is_whole(pick, filter))
        return reader_in_time(r, err);
    int code = slice_pick_select(r, pick, filter, &p, err);
    if (code == 0 && !pick->rows)
        pick->rows = xcalloc(1, sizeof *pick->rows);
    if (code <= 0)
        return code;
    if (c->span)
        query_span_add_slice(c, pick, &p);
    *single += pick->row_count;
    code = reader_count_profiles(r, *single, err);
    return code < 0 ? code : reader_in_time(r, err);
}

/* Finds which profiles of the slices count, and what the span of all is, unless it is NULL. */
static int query_count(struct store_reader *r, struct query_parts *parts, const struct slice_filter *filter,
                       struct store_span *span, struct err *err)
{
    struct span_count c = {.span = span};
    size_t row = 0, single = parts->rows.len;
    int code = 0;
    slice_picks_sort(&parts->picks);
    if (parts->rows.len)
        qsort(parts->rows.items, parts->rows.len, sizeof *parts->rows.items, query_by_time);
    for (size_t pick = 0; code == 0 && (pick < parts->picks.len || row < parts->rows.len);) {
        const int64_t of_pick =
            pick < parts->picks.len ? parts->picks.items[pick].slice.first_ns / STORE_HOUR_NS : INT64_MAX;
        const int64_t of_row = row < parts->rows.len ? parts->rows.items[row].time_ns / STORE_HOUR_NS : INT64_MAX;
        const int64_t hour = of_pick < of_row ? of_pick : of_row;
        for (; row < parts->rows.len && parts->rows.items[row].time_ns / STORE_HOUR_NS == hour; row++) {
            const struct body_row *b = &parts->rows.items[row];
            uint64_t id;
            memcpy(&id, b->id, sizeof id);
            if (span)
                query_span_add(&c, b->time_ns, b->duration_ns, id);
        }
        for (; code == 0 && pick < parts->picks.len && parts->picks.items[pick].slice.first_ns / STORE_HOUR_NS == hour;
             pick++)
            code = query_count_slice(r, &parts->picks.items[pick], filter, &c, &single, err);
        u64map_done(&c.seen);
        c.seen = U64MAP_INIT;
    }
    return code;
}

int store_merge(struct store_reader *r, const struct store_filter *filter, const struct store_merge *how,
                struct flame *out, struct store_span *span, struct err *err)
{
    __attribute__((cleanup(query_parts_done))) struct query_parts parts = {0};
    struct store_span found = {0};
    struct slice_filter rows = {.ids = how->profiles, .id_count = how->profile_count};
    const size_t nodes = reader_memory(r) / FLAME_NODE_BYTES;
    const struct flame_ask ask = {.lines = how->lines,
                                  .nodes = (uint32_t)(nodes < out->nodes_max ? nodes : out->nodes_max),
                                  .spans = how->spans,
                                  .traces = how->traces,
                                  .span_count = how->span_count,
                                  .trace_count = how->trace_count};
    reader_range_ns(filter->range.from_ms, filter->range.until_ms, &rows.from_ns, &rows.until_ns);
    int code = query_select_parts(r, filter, how, &parts, err);
    if (code == 0)
        code = query_count(r, &parts, &rows, span ? &found : NULL, err);
    if (code == 0)
        code = slice_picks_merge(r, &parts.picks, &ask, out, &found.period, err);
    if (code == 0)
        code = body_rows_merge(r, &parts.rows, &ask, out, &found.period, err);
    if (code == 0 && out->truncated && ask.nodes < out->nodes_max)
        code = reader_too_large(r, err);
    if (code == 0 && span)
        *span = found;
    return reader_noted(r, code, err);
}
