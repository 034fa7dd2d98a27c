/* SelectSeries: totals of profiles over time, by labels.
 *
 * Points lie at start + k * step up to the end; one counts the profiles behind the point before it, up to itself, so
 * the first reaches back before the start. Points without profiles are left out. With a call site, a profile has what
 * its stacks have that begin with it. Source: spec store-query §3.5.
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
#include "store/whole_profiles.h"

enum { ANSWER_POINTS_MAX = 64 << 20 };

/* One point with data. */
struct answer_point {
    int64_t at; /* k */
    int64_t sum, count;
    int64_t most, most_ms; /* of the largest profile, for the exemplar */
    uint8_t most_id[PROFILE_ID_SIZE];
    uint32_t labels; /* of its series that it is not grouped by: an index of keys.rests */
};

struct answer_group {
    struct str key;              /* of the group (label_groups.h) */
    struct u64map at;            /* k -> point */
    struct answer_point *points; /* owned */
    size_t len, cap;
    int64_t sum;
};

struct answer_points {
    struct querier_call *q;
    struct label_groups keys;
    struct answer_group *groups; /* by number; owned */
    size_t len, cap;
    size_t count; /* of points */
    bool full;
};

static struct answer_group *answer_points_group(struct answer_points *a, uint32_t number)
{
    while (number >= a->len) {
        xgrow(&a->groups, &a->cap, a->len + 1, sizeof *a->groups);
        a->groups[a->len] = (struct answer_group){.key = a->keys.keys[a->len]};
        a->len++;
    }
    return &a->groups[number];
}

static struct answer_point *answer_points_at(struct answer_points *a, struct answer_group *g, int64_t at)
{
    bool added;
    const uint64_t *place = u64map_add(&g->at, (uint64_t)at, g->len, &added);
    if (!added)
        return &g->points[*place];
    xgrow(&g->points, &g->cap, g->len + 1, sizeof *g->points);
    g->points[g->len] = (struct answer_point){.at = at};
    a->count++;
    return &g->points[g->len++];
}

static void answer_points_add(void *arg, const struct whole_profile *p, const struct whole_span *span)
{
    (void)span;
    struct answer_points *a = arg;
    const int64_t start = a->q->range.from_ms;
    a->full = a->full || a->count * sizeof(struct answer_point) > ANSWER_POINTS_MAX;
    if (a->full)
        return;
    struct answer_group *g = answer_points_group(a, p->group);
    const int64_t at = p->ms <= start ? 0 : (p->ms - start + a->q->step_ms - 1) / a->q->step_ms;
    struct answer_point *point = answer_points_at(a, g, at);
    point->sum = flame_sum(point->sum, p->total);
    if (point->count++ == 0 || p->total > point->most) {
        point->most = p->total;
        point->most_ms = p->ms;
        point->labels = p->rest;
        memcpy(point->most_id, p->id, sizeof point->most_id);
    }
    g->sum = flame_sum(g->sum, p->total);
}

static void answer_points_visit(void *arg, const struct store_point *p)
{
    struct answer_points *a = arg;
    const uint32_t group = label_group_of(&a->keys, p->series);
    answer_points_add(a, &(struct whole_profile){.ms = p->time_ns / NS_PER_MS, .total = p->total, .group = group},
                      NULL);
}

static void answer_points_visit_value(void *arg, const struct store_value *v)
{
    answer_points_visit(arg, &v->point);
}

/* Totals of profiles are known without their stacks; what some of these have is found in the profiles. The sum of a
 * point is that of parts of profiles in any order; its largest profile and mean are those of whole ones. */
static int answer_points_collect(struct answer_points *a, struct store_reader *r, const struct store_filter *filter)
{
    const struct query_request *rq = &a->q->request;
    const struct values_ask site = {.call_site = rq->call_site.items, .call_site_len = rq->call_site.len};
    const bool exemplars = rq->exemplar_type.value == EXEMPLARS_INDIVIDUAL;
    if (exemplars || rq->aggregation.value == AGGREGATION_AVERAGE) {
        const struct whole_profiles_ask ask = {&a->keys, exemplars, site.call_site_len ? &site : NULL};
        return store_each_whole_profile(r, filter, &ask, answer_points_add, a, &a->q->err);
    }
    return site.call_site_len ? store_each_value(r, filter, &site, answer_points_visit_value, a, &a->q->err)
                              : store_each_point(r, filter, answer_points_visit, a, &a->q->err);
}

/* ---- the answer ---- */

static void answer_points_put_exemplar(const struct answer_points *a, const struct answer_point *p, struct buf *out)
{
    cleanup_buf struct buf e = BUF_INIT(4 * LABELS_KEY_MAX), id = BUF_INIT(64);
    querier_put_uuid(&id, p->most_id);
    wire_number(&e, 1, (uint64_t)p->most_ms);
    wire_bytes(&e, 2, buf_slice(&id));
    wire_number(&e, 4, (uint64_t)p->most);
    querier_put_labels(a->keys.rests[p->labels], 5, &e);
    wire_bytes(out, 4, buf_slice(&e));
}

static void answer_points_put_point(const struct answer_points *a, const struct answer_point *p, struct buf *out)
{
    const struct querier_call *q = a->q;
    cleanup_buf struct buf point = BUF_INIT(8 * LABELS_KEY_MAX);
    const bool average = q->request.aggregation.value == AGGREGATION_AVERAGE;
    wire_double(&point, 1, average ? (double)p->sum / (double)p->count : (double)p->sum);
    wire_number(&point, 2, (uint64_t)(q->range.from_ms + p->at * q->step_ms));
    if (q->request.exemplar_type.value == EXEMPLARS_INDIVIDUAL)
        answer_points_put_exemplar(a, p, &point);
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
    const struct answer_group *x = a, *y = b;
    return x->sum != y->sum ? (x->sum < y->sum) - (x->sum > y->sum) : str_cmp(x->key, y->key);
}

static void answer_points_put_group(const struct answer_points *a, struct answer_group *g, struct buf *out)
{
    cleanup_buf struct buf series = BUF_INIT(QUERIER_ANSWER_MAX);
    qsort(g->points, g->len, sizeof *g->points, answer_points_by_time);
    querier_put_labels(g->key, 1, &series);
    for (size_t i = 0; i < g->len; i++)
        answer_points_put_point(a, &g->points[i], &series);
    wire_bytes(out, 1, buf_slice(&series));
    out->failed |= !buf_ok(&series);
}

static void answer_points_put(struct answer_points *a)
{
    const int64_t limit = a->q->request.limit.value;
    size_t n = a->len;
    if (n)
        qsort(a->groups, n, sizeof *a->groups, answer_points_by_sum);
    if (limit > 0 && (uint64_t)limit < n)
        n = (size_t)limit;
    for (size_t i = 0; i < n; i++)
        answer_points_put_group(a, &a->groups[i], &a->q->out);
}

static void answer_points_done(struct answer_points *a)
{
    for (size_t i = 0; i < a->len; i++) {
        u64map_done(&a->groups[i].at);
        free(a->groups[i].points);
    }
    free(a->groups);
    label_groups_done(&a->keys);
}

static int answer_points_run(struct querier_call *q, struct store_reader *r)
{
    struct answer_points a = {.q = q};
    const int64_t steps = (q->range.until_ms - q->range.from_ms) / q->step_ms;
    /* Behind the point before the first, up to the last. */
    const struct store_filter filter = {&q->selector,
                                        {q->range.from_ms - q->step_ms + 1, q->range.from_ms + steps * q->step_ms}};
    label_groups_init(&a.keys, q->request.group_by.items, q->request.group_by.len);
    int code = answer_points_collect(&a, r, &filter);
    if (code == 0 && (a.full || a.keys.full))
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
    return code < 0 ? code : querier_call_site(q);
}

const struct querier_answer answer_points = {answer_points_prepare, answer_points_run};
