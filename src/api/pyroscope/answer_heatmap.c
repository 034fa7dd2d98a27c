/* SelectHeatmap: how many profiles, or spans of profiles, had which total, over time and by labels.
 *
 * Totals are divided into COLUMNS equal parts between the smallest and the largest of the answer, whose edges are whole
 * numbers. A slot is the time of a step; its timestamp is the end of it. An exemplar is the largest profile or span of
 * a part, with the labels that all its series share. Source: spec store-query §3.6.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "api/pyroscope/querier_call.h"
#include "base/cleanup.h"
#include "base/mem.h"
#include "base/wire.h"
#include "store/value_scale.h"
#include "store/whole_profiles.h"

enum { COLUMNS = 20, HEATMAP_PROFILES_BYTES = 128 << 20 };

struct answer_heatmap {
    struct querier_call *q;
    struct label_groups groups;
    struct whole_profile *items; /* owned */
    size_t len, cap;
    struct whole_span *spans; /* of the items, where spans are counted; owned */
    size_t span_cap;
    uint32_t *order; /* of the items; owned */
    struct value_scale scale;
    bool full;
};

static bool answer_heatmap_is_of_spans(const struct answer_heatmap *h)
{
    return h->q->request.heatmap_type.value == HEATMAP_SPAN;
}

static bool answer_heatmap_has_exemplars(const struct answer_heatmap *h)
{
    const int64_t type = h->q->request.exemplar_type.value;
    return type == EXEMPLARS_INDIVIDUAL || type == EXEMPLARS_SPAN;
}

static void answer_heatmap_visit(void *arg, const struct whole_profile *p, const struct whole_span *span)
{
    struct answer_heatmap *h = arg;
    h->full = h->full || h->len >= HEATMAP_PROFILES_BYTES / (sizeof *h->items + (span ? sizeof *h->spans : 0));
    if (h->full)
        return;
    xgrow(&h->items, &h->cap, h->len + 1, sizeof *h->items);
    h->items[h->len++] = *p;
    value_scale_add(&h->scale, p->total);
    if (span) {
        xgrow(&h->spans, &h->span_cap, h->len, sizeof *h->spans);
        h->spans[h->len - 1] = *span;
    }
}

/* Whose end is the timestamp, from the start on. */
static int64_t answer_heatmap_slot(const struct answer_heatmap *h, const struct whole_profile *s)
{
    const int64_t past = s->ms - h->q->range.from_ms;
    return past <= 0 ? 0 : (past + h->q->step_ms - 1) / h->q->step_ms;
}

static int answer_heatmap_order(const void *a, const void *b, void *arg)
{
    const struct answer_heatmap *h = arg;
    const struct whole_profile *x = &h->items[*(const uint32_t *)a], *y = &h->items[*(const uint32_t *)b];
    return x->group != y->group ? (x->group > y->group) - (x->group < y->group) : (x->ms > y->ms) - (x->ms < y->ms);
}

static void answer_heatmap_put_hex(struct buf *out, uint32_t field, const uint8_t *id, size_t n)
{
    cleanup_buf struct buf hex = BUF_INIT(64);
    for (size_t i = 0; i < n; i++)
        buf_printf(&hex, "%02x", id[i]);
    wire_bytes(out, field, buf_slice(&hex));
}

static void answer_heatmap_put_exemplar(const struct answer_heatmap *h, uint32_t number, struct buf *out)
{
    const struct whole_profile *s = &h->items[number];
    cleanup_buf struct buf e = BUF_INIT(4 * LABELS_KEY_MAX), id = BUF_INIT(64);
    querier_put_uuid(&id, s->id);
    wire_number(&e, 1, (uint64_t)s->ms);
    wire_bytes(&e, 2, buf_slice(&id));
    if (answer_heatmap_is_of_spans(h))
        answer_heatmap_put_hex(&e, 3, h->spans[number].id, SPAN_ID_SIZE);
    wire_number(&e, 4, (uint64_t)s->total);
    querier_put_labels(h->groups.rests[s->rest], 5, &e);
    if (answer_heatmap_is_of_spans(h) && h->spans[number].has_trace)
        answer_heatmap_put_hex(&e, 6, h->spans[number].trace, TRACE_ID_SIZE);
    wire_bytes(out, 4, buf_slice(&e));
}

/* Those of one slot, in the order of time. */
static void answer_heatmap_put_slot(const struct answer_heatmap *h, const uint32_t *numbers, size_t n, struct buf *out)
{
    cleanup_buf struct buf slot = BUF_INIT(QUERIER_ANSWER_MAX), y = BUF_INIT(1 << 10), counts = BUF_INIT(1 << 10);
    uint32_t count[COLUMNS] = {0}, largest[COLUMNS] = {0};
    for (size_t i = 0; i < n; i++) {
        const int64_t total = h->items[numbers[i]].total;
        const size_t column = value_scale_part(&h->scale, total);
        if (count[column]++ == 0 || total > h->items[largest[column]].total)
            largest[column] = numbers[i];
    }
    const int64_t at = answer_heatmap_slot(h, &h->items[numbers[0]]);
    wire_number(&slot, 1, (uint64_t)(h->q->range.from_ms + at * h->q->step_ms));
    for (size_t i = 0; i < COLUMNS; i++) {
        wire_packed_double(&y, (double)value_scale_edge(&h->scale, i));
        wire_varint(&counts, count[i]);
    }
    wire_bytes(&slot, 2, buf_slice(&y));
    wire_bytes(&slot, 3, buf_slice(&counts));
    for (size_t i = 0; i < COLUMNS && answer_heatmap_has_exemplars(h); i++)
        if (count[i])
            answer_heatmap_put_exemplar(h, largest[i], &slot);
    wire_bytes(out, 2, buf_slice(&slot));
    out->failed |= !buf_ok(&slot);
}

/* Those of one group, in the order of time. */
static void answer_heatmap_put_group(const struct answer_heatmap *h, const uint32_t *numbers, size_t n, struct buf *out)
{
    cleanup_buf struct buf series = BUF_INIT(QUERIER_ANSWER_MAX);
    const struct whole_profile *items = h->items;
    querier_put_labels(h->groups.keys[items[numbers[0]].group], 1, &series);
    for (size_t i = 0, k; i < n; i += k) {
        const int64_t slot = answer_heatmap_slot(h, &items[numbers[i]]);
        k = 1;
        while (i + k < n && answer_heatmap_slot(h, &items[numbers[i + k]]) == slot)
            k++;
        answer_heatmap_put_slot(h, &numbers[i], k, &series);
    }
    wire_bytes(out, 1, buf_slice(&series));
    out->failed |= !buf_ok(&series);
}

struct heatmap_group {
    size_t first, count;
    struct str key;
};

static int answer_heatmap_by_key(const void *a, const void *b)
{
    const struct heatmap_group *x = a, *y = b;
    return str_cmp(x->key, y->key);
}

static int answer_heatmap_most_first(const void *a, const void *b)
{
    const struct heatmap_group *x = a, *y = b;
    return x->count != y->count ? (x->count < y->count) - (x->count > y->count) : str_cmp(x->key, y->key);
}

static void answer_heatmap_sort(struct answer_heatmap *h)
{
    h->order = xcalloc(h->len, sizeof *h->order);
    for (uint32_t i = 0; i < h->len; i++)
        h->order[i] = i;
    qsort_r(h->order, h->len, sizeof *h->order, answer_heatmap_order, h);
}

/* All groups by their labels; with a limit those with the most profiles, the most first. */
static void answer_heatmap_put(struct answer_heatmap *h)
{
    const int64_t limit = h->q->request.limit.value;
    cleanup_free struct heatmap_group *groups = xcalloc(h->groups.len + 1, sizeof *groups);
    size_t n = 0;
    for (size_t i = 0; i < h->len; i++) {
        const uint32_t group = h->items[h->order[i]].group;
        if (i == 0 || group != h->items[h->order[i - 1]].group)
            groups[n++] = (struct heatmap_group){.first = i, .key = h->groups.keys[group]};
        groups[n - 1].count++;
    }
    const bool cut = limit > 0 && (uint64_t)limit < n;
    qsort(groups, n, sizeof *groups, cut ? answer_heatmap_most_first : answer_heatmap_by_key);
    if (cut)
        n = (size_t)limit;
    for (size_t i = 0; i < n; i++)
        answer_heatmap_put_group(h, &h->order[groups[i].first], groups[i].count, &h->q->out);
}

/* The first slot reaches back before the start, as the first point of SelectSeries does. */
static int answer_heatmap_run(struct querier_call *q, struct store_reader *r)
{
    struct answer_heatmap h = {.q = q, .scale = {.columns = COLUMNS}};
    const struct store_filter filter = {&q->selector, {q->range.from_ms - q->step_ms + 1, q->range.until_ms}};
    const struct values_ask spans = {.by_span = true};
    const struct whole_profiles_ask ask = {&h.groups, answer_heatmap_has_exemplars(&h),
                                           answer_heatmap_is_of_spans(&h) ? &spans : NULL};
    label_groups_init(&h.groups, q->request.group_by.items, q->request.group_by.len);
    int code = store_each_whole_profile(r, &filter, &ask, answer_heatmap_visit, &h, &q->err);
    if (code == 0 && (h.full || h.groups.full))
        code = err_set(&q->err, -EMSGSIZE,
                       "more than %zu profiles or spans: choose a shorter time range or add label matchers", h.len);
    if (code == 0 && h.len) {
        answer_heatmap_sort(&h);
        answer_heatmap_put(&h);
    }
    label_groups_done(&h.groups);
    free(h.items);
    free(h.spans);
    free(h.order);
    return code;
}

static int answer_heatmap_prepare(struct querier_call *q)
{
    int code = querier_call_select(q);
    if (code == 0)
        code = querier_call_step(q);
    if (code == 0 && q->range.from_ms >= q->range.until_ms)
        code = err_set(&q->err, -EINVAL, "start must be before end");
    if (code == 0 && q->request.limit.value < 0)
        code = err_set(&q->err, -EINVAL, "limit must be non-negative, got %lld", (long long)q->request.limit.value);
    const int64_t type = q->request.heatmap_type.value;
    if (code == 0 && type != HEATMAP_INDIVIDUAL && type != HEATMAP_SPAN)
        code = err_set(&q->err, -EINVAL, "valid heatmap query type must be specified");
    const int64_t exemplars = q->request.exemplar_type.value;
    if (code == 0 && type == HEATMAP_INDIVIDUAL && exemplars == EXEMPLARS_SPAN)
        code = err_set(&q->err, -EINVAL, "exemplars of spans require a heat map of spans");
    if (code == 0 && type == HEATMAP_SPAN && exemplars == EXEMPLARS_INDIVIDUAL)
        code = err_set(&q->err, -EINVAL, "exemplars of profiles require a heat map of profiles");
    return code;
}

const struct querier_answer answer_heatmap = {answer_heatmap_prepare, answer_heatmap_run};
