/* SelectSeries: totals of profiles over time, by labels.
 *
 * Points lie at start + k * step up to the end; one counts the profiles behind the point before it, up to itself, so
 * the first reaches back before the start. Points without profiles are left out. Source: spec store-query §3.5.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "api/pyroscope/querier_call.h"
#include "base/cleanup.h"
#include "base/clock.h"
#include "base/mem.h"
#include "base/wire.h"
#include "pprof/flame.h"

enum { ANSWER_POINTS_MAX = 64 << 20, ANSWER_POINTS_LABELS_MAX = 64 << 20 };

/* One point with data. */
struct answer_point {
    int64_t at; /* k */
    int64_t sum, count;
    int64_t most, most_ms; /* of the largest profile, for the exemplar */
    uint8_t most_id[PROFILE_ID_SIZE];
    struct str labels; /* of its series: name NUL value NUL … */
};

struct answer_group {
    struct str key;              /* name NUL value NUL … of the labels it is by */
    struct u64map at;            /* k -> point */
    struct answer_point *points; /* owned */
    size_t len, cap;
    int64_t sum;
};

struct answer_points {
    struct querier_call *q;
    struct strmap groups; /* key -> struct answer_group */
    struct arena labels;
    int64_t series; /* whose labels are at hand; -1 = none */
    struct answer_group *group;
    struct str series_labels;
    size_t count;
    bool full;
};

static bool answer_points_has(const struct query_texts *names, struct str name)
{
    for (size_t i = 0; i < names->len; i++)
        if (str_eq(names->items[i], name))
            return true;
    return false;
}

/* The labels of a series that it is grouped by, or the others, as one text. */
static struct str answer_points_labels(struct answer_points *a, const struct label_list *labels, bool grouped)
{
    cleanup_buf struct buf key = BUF_INIT(2 * LABELS_KEY_MAX);
    for (size_t i = 0; i < labels->len; i++) {
        if (answer_points_has(&a->q->request.group_by, labels->items[i].name) != grouped)
            continue;
        buf_str(&key, labels->items[i].name);
        buf_byte(&key, '\0');
        buf_str(&key, labels->items[i].value);
        buf_byte(&key, '\0');
    }
    const struct str copy = arena_str(&a->labels, key.len ? buf_slice(&key) : STR(""));
    a->full = a->full || !copy.p;
    return copy.p ? copy : STR("");
}

static void answer_points_enter(struct answer_points *a, const struct store_series *series)
{
    if (a->series == series->id)
        return;
    a->series = series->id;
    const struct str key = answer_points_labels(a, series->labels, true);
    a->group = strmap_get(&a->groups, key);
    if (!a->group) {
        a->group = xcalloc(1, sizeof *a->group);
        a->group->key = key;
        strmap_put(&a->groups, key, a->group);
    }
    if (a->q->request.exemplar_type.value == EXEMPLARS_INDIVIDUAL)
        a->series_labels = answer_points_labels(a, series->labels, false);
}

static struct answer_point *answer_points_at(struct answer_points *a, int64_t at)
{
    struct answer_group *g = a->group;
    bool added;
    const uint64_t *place = u64map_add(&g->at, (uint64_t)at, g->len, &added);
    if (!added)
        return &g->points[*place];
    xgrow(&g->points, &g->cap, g->len + 1, sizeof *g->points);
    g->points[g->len] = (struct answer_point){.at = at};
    a->count++;
    return &g->points[g->len++];
}

static void answer_points_visit(void *arg, const struct store_point *p)
{
    struct answer_points *a = arg;
    const int64_t ms = p->time_ns / NS_PER_MS, start = a->q->range.from_ms;
    a->full = a->full || a->count * sizeof(struct answer_point) > ANSWER_POINTS_MAX;
    if (a->full)
        return;
    answer_points_enter(a, p->series);
    const int64_t at = ms <= start ? 0 : (ms - start + a->q->step_ms - 1) / a->q->step_ms;
    struct answer_point *point = answer_points_at(a, at);
    point->sum = flame_sum(point->sum, p->total);
    if (point->count++ == 0 || p->total > point->most) {
        point->most = p->total;
        point->most_ms = ms;
        point->labels = a->series_labels;
        memcpy(point->most_id, p->id, sizeof point->most_id);
    }
    a->group->sum = flame_sum(a->group->sum, p->total);
}

/* ---- the answer ---- */

static void answer_points_put_labels(struct str key, uint32_t field, struct buf *out)
{
    struct str name, value;
    while (key.n && str_split(&key, '\0', &name) && str_split(&key, '\0', &value))
        querier_put_label(out, field, name, value);
}

static void answer_points_put_exemplar(const struct answer_point *p, struct buf *out)
{
    cleanup_buf struct buf e = BUF_INIT(4 * LABELS_KEY_MAX), id = BUF_INIT(64);
    querier_put_uuid(&id, p->most_id);
    wire_number(&e, 1, (uint64_t)p->most_ms);
    wire_bytes(&e, 2, buf_slice(&id));
    wire_number(&e, 4, (uint64_t)p->most);
    answer_points_put_labels(p->labels, 5, &e);
    wire_bytes(out, 4, buf_slice(&e));
}

static void answer_points_put_point(const struct querier_call *q, const struct answer_point *p, struct buf *out)
{
    cleanup_buf struct buf point = BUF_INIT(8 * LABELS_KEY_MAX);
    const bool average = q->request.aggregation.value == AGGREGATION_AVERAGE;
    wire_double(&point, 1, average ? (double)p->sum / (double)p->count : (double)p->sum);
    wire_number(&point, 2, (uint64_t)(q->range.from_ms + p->at * q->step_ms));
    if (q->request.exemplar_type.value == EXEMPLARS_INDIVIDUAL)
        answer_points_put_exemplar(p, &point);
    wire_bytes(out, 2, buf_slice(&point));
}

static int answer_points_by_time(const void *a, const void *b)
{
    const struct answer_point *x = a, *y = b;
    return (x->at > y->at) - (x->at < y->at);
}

/* The largest first, equal ones by their labels. */
static int answer_points_by_sum(const void *a, const void *b)
{
    const struct strmap_entry *p = a, *q = b;
    const struct answer_group *x = p->value, *y = q->value;
    return x->sum != y->sum ? (x->sum < y->sum) - (x->sum > y->sum) : str_cmp(x->key, y->key);
}

static void answer_points_put_group(const struct querier_call *q, struct answer_group *g, struct buf *out)
{
    cleanup_buf struct buf series = BUF_INIT(QUERIER_ANSWER_MAX);
    qsort(g->points, g->len, sizeof *g->points, answer_points_by_time);
    answer_points_put_labels(g->key, 1, &series);
    for (size_t i = 0; i < g->len; i++)
        answer_points_put_point(q, &g->points[i], &series);
    wire_bytes(out, 1, buf_slice(&series));
    out->failed |= !buf_ok(&series);
}

static void answer_points_put(struct answer_points *a)
{
    const struct query_number limit = a->q->request.limit;
    size_t n = a->groups.used;
    if (n)
        qsort(a->groups.entries, n, sizeof *a->groups.entries, answer_points_by_sum);
    if (limit.value > 0 && (uint64_t)limit.value < n)
        n = (size_t)limit.value;
    for (size_t i = 0; i < n; i++)
        answer_points_put_group(a->q, a->groups.entries[i].value, &a->q->out);
}

static void answer_points_done(struct answer_points *a)
{
    strmap_each(&a->groups, e)
    {
        struct answer_group *g = e->value;
        u64map_done(&g->at);
        free(g->points);
        free(g);
    }
    strmap_done(&a->groups);
    arena_done(&a->labels);
}

static int answer_points_run(struct querier_call *q, struct store_reader *r)
{
    struct answer_points a = {.q = q, .labels = ARENA_INIT(ANSWER_POINTS_LABELS_MAX), .series = -1};
    const int64_t steps = (q->range.until_ms - q->range.from_ms) / q->step_ms;
    /* Behind the point before the first, up to the last. */
    const struct store_filter filter = {&q->selector,
                                        {q->range.from_ms - q->step_ms + 1, q->range.from_ms + steps * q->step_ms}};
    int code = store_each_point(r, &filter, answer_points_visit, &a, &q->err);
    if (code == 0 && a.full)
        code = err_set(&q->err, -EMSGSIZE,
                       "the answer is larger than %d MiB: choose a shorter time range, a longer step or fewer labels",
                       ANSWER_POINTS_MAX >> 20);
    if (code == 0)
        answer_points_put(&a);
    answer_points_done(&a);
    return code;
}

static int answer_points_prepare(struct querier_call *q)
{
    int code = querier_call_select(q);
    if (code == 0)
        code = querier_call_step(q);
    if (code == 0 && q->request.exemplar_type.value == EXEMPLARS_SPAN)
        code = err_set(&q->err, -ENOTSUP, "exemplar type span is not implemented");
    if (code == 0 && (q->request.call_site.len || q->request.go_pgo.n || q->request.frame_filter.n))
        code = err_set(&q->err, -ENOTSUP, "stack trace selectors are not supported for series of points");
    return code;
}

const struct querier_answer answer_points = {answer_points_prepare, answer_points_run};
