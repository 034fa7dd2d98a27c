#include "store/value_query.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "pprof/flame.h"
#include "store/block_query.h"
#include "store/body_query.h"
#include "store/reader.h"

/* Values of one series, before they are sorted. Those of its profiles come first, by their numbers; spans of them
 * follow where these are asked for. */
struct value_list {
    struct store_value *items; /* owned */
    size_t len, cap;
    size_t profiles;
};

struct value_walk {
    struct store_reader *r;
    struct store_range range;
    struct slice_filter slices;
    const struct values_ask *ask;
    void (*visit)(void *arg, const struct store_value *v);
    void *arg;
    int code;
    struct err *err;
    struct value_list values;
};

static void value_add_profile(struct value_walk *w, const struct store_series *series, int64_t time_ns,
                              const uint8_t *id)
{
    struct value_list *l = &w->values;
    xgrow(&l->items, &l->cap, l->len + 1, sizeof *l->items);
    struct store_value *v = &l->items[l->len++];
    *v = (struct store_value){.point = {.series = series, .time_ns = time_ns}};
    memcpy(v->point.id, id, sizeof v->point.id);
}

/* A number that no profile has is of a parser process that was taken over. */
static void value_take(void *arg, const struct profile_value *p)
{
    struct value_walk *w = arg;
    struct value_list *l = &w->values;
    if (p->profile >= l->profiles || p->value <= 0)
        return;
    if (!w->ask->by_span) {
        struct store_point *of = &l->items[p->profile].point;
        of->total = flame_sum(of->total, p->value);
        return;
    }
    if (w->code == 0)
        w->code = reader_in_memory(w->r, (l->len + 1) * sizeof *l->items, w->err);
    if (w->code < 0)
        return;
    xgrow(&l->items, &l->cap, l->len + 1, sizeof *l->items);
    struct store_value *v = &l->items[l->len++];
    *v = l->items[p->profile];
    v->point.total = p->value;
    v->has_trace = p->has_trace;
    memcpy(v->span, p->span, sizeof v->span);
    memcpy(v->trace, p->trace, sizeof v->trace);
}

/* Adds the profiles of slices: in the order of the picks. Those of a slice that is damaged are left out. */
static int value_add_picks(struct value_walk *w, const struct store_series *series, struct slice_picks *picks)
{
    int code = 0;
    slice_picks_sort(picks);
    for (size_t i = 0; code >= 0 && i < picks->len; i++) {
        struct slice_pick *pick = &picks->items[i];
        cleanup_slice_profiles struct slice_profiles p = {0};
        code = slice_pick_select(w->r, pick, &w->slices, &p, w->err);
        if (code == 0 && !pick->rows)
            pick->rows = xcalloc(1, sizeof *pick->rows);
        const size_t n = pick->rows ? pick->row_count : pick->slice.profiles;
        for (size_t k = 0; code == 1 && k < n; k++) {
            const size_t row = pick->rows ? pick->rows[k] : k;
            value_add_profile(w, series, p.columns.times[row], p.ids + row * SLICE_ID_SIZE);
        }
        if (code >= 0)
            code = reader_count_profiles(w->r, w->values.len, w->err);
        if (code == 0)
            code = reader_in_memory(w->r, w->values.len * sizeof *w->values.items, w->err);
        if (code == 0)
            code = reader_in_time(w->r, w->err);
    }
    return code;
}

static int value_order(const void *a, const void *b)
{
    const struct store_value *x = a, *y = b;
    if (x->point.time_ns != y->point.time_ns)
        return x->point.time_ns < y->point.time_ns ? -1 : 1;
    const int by_id = memcmp(x->point.id, y->point.id, sizeof x->point.id);
    const int by_span = memcmp(x->span, y->span, sizeof x->span);
    return by_id ? by_id : by_span ? by_span : memcmp(x->trace, y->trace, sizeof x->trace);
}

static void value_visit(struct value_walk *w)
{
    const size_t first = w->ask->by_span ? w->values.profiles : 0, n = w->values.len - first;
    if (n)
        qsort(w->values.items + first, n, sizeof *w->values.items, value_order);
    for (size_t i = 0; i < n; i++)
        w->visit(w->arg, &w->values.items[first + i]);
}

static int values_of(struct value_walk *w, const struct store_series *series)
{
    cleanup_body_rows struct body_rows rows = {0};
    cleanup_slice_picks struct slice_picks picks = {0};
    w->values.len = 0;
    int code = body_rows_add(w->r, series->id, w->range, NULL, &rows, w->err);
    for (size_t i = 0; code == 0 && i < rows.len; i++)
        value_add_profile(w, series, rows.items[i].time_ns, rows.items[i].id);
    if (code == 0)
        code = slice_picks_add(w->r, series->id, w->slices.from_ns, w->slices.until_ns, &picks, w->err);
    if (code == 0)
        code = value_add_picks(w, series, &picks);
    w->values.profiles = w->values.len;
    if (code == 0)
        code = body_rows_values(w->r, &rows, w->ask, value_take, w, w->err);
    if (code == 0)
        code = slice_picks_values(w->r, &picks, (uint32_t)rows.len, w->ask, value_take, w, w->err);
    if (code == 0)
        code = w->code;
    if (code == 0)
        value_visit(w);
    return code;
}

static void value_series(void *arg, const struct store_series *series)
{
    struct value_walk *w = arg;
    if (w->code == 0)
        w->code = values_of(w, series);
}

int store_each_value(struct store_reader *r, const struct store_filter *what, const struct values_ask *ask,
                     void (*visit)(void *arg, const struct store_value *v), void *arg, struct err *err)
{
    struct value_walk w = {.r = r, .range = what->range, .ask = ask, .visit = visit, .arg = arg, .err = err};
    reader_range_ns(what->range.from_ms, what->range.until_ms, &w.slices.from_ns, &w.slices.until_ns);
    const int code = store_each_series(r, what, value_series, &w, err);
    free(w.values.items);
    return reader_noted(r, code < 0 ? code : w.code, err);
}
