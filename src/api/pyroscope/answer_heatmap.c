/* SelectHeatmap: how many profiles, or spans of profiles, had which total, over time and by labels.
 *
 * Totals are divided into COLUMNS equal parts between the smallest and the largest of the answer. A slot is the time of
 * a step; its timestamp is the end of it. Source: spec store-query §3.6.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "api/pyroscope/querier_call.h"
#include "base/cleanup.h"
#include "base/clock.h"
#include "base/mem.h"
#include "base/wire.h"
#include "store/label_groups.h"
#include "store/value_scale.h"

enum { COLUMNS = 20, HEATMAP_PROFILES_BYTES = 128 << 20 };

struct heatmap_profile {
    uint32_t group;
    int64_t slot; /* from the start on */
    int64_t ms, total;
    uint8_t id[PROFILE_ID_SIZE];
    bool has_trace; /* of a span */
    uint8_t span[SPAN_ID_SIZE], trace[TRACE_ID_SIZE];
};

struct answer_heatmap {
    struct querier_call *q;
    struct label_groups groups;
    struct heatmap_profile *items; /* owned */
    size_t len, cap;
    struct value_scale scale; /* of totals */
    bool full;
};

/* NULL: there is no room. */
static struct heatmap_profile *answer_heatmap_add(struct answer_heatmap *h, const struct store_point *p)
{
    const int64_t ms = p->time_ns / NS_PER_MS, past = ms - h->q->range.from_ms;
    h->full = h->full || h->len >= HEATMAP_PROFILES_BYTES / sizeof *h->items;
    if (h->full)
        return NULL;
    xgrow(&h->items, &h->cap, h->len + 1, sizeof *h->items);
    struct heatmap_profile *item = &h->items[h->len++];
    *item = (struct heatmap_profile){.group = label_group_of(&h->groups, p->series),
                                     .slot = past <= 0 ? 0 : (past + h->q->step_ms - 1) / h->q->step_ms,
                                     .ms = ms,
                                     .total = p->total};
    memcpy(item->id, p->id, sizeof item->id);
    value_scale_add(&h->scale, p->total);
    return item;
}

static void answer_heatmap_visit(void *arg, const struct store_point *p)
{
    (void)answer_heatmap_add(arg, p);
}

static void answer_heatmap_visit_span(void *arg, const struct store_value *v)
{
    struct heatmap_profile *item = answer_heatmap_add(arg, &v->point);
    if (!item)
        return;
    item->has_trace = v->has_trace;
    memcpy(item->span, v->span, sizeof item->span);
    memcpy(item->trace, v->trace, sizeof item->trace);
}

static int answer_heatmap_order(const void *a, const void *b)
{
    const struct heatmap_profile *x = a, *y = b;
    if (x->group != y->group)
        return x->group < y->group ? -1 : 1;
    if (x->slot != y->slot)
        return x->slot < y->slot ? -1 : 1;
    return (x->total > y->total) - (x->total < y->total);
}

static void answer_heatmap_put_hex(struct buf *out, uint32_t field, const uint8_t *id, size_t n)
{
    cleanup_buf struct buf hex = BUF_INIT(64);
    for (size_t i = 0; i < n; i++)
        buf_printf(&hex, "%02x", id[i]);
    wire_bytes(out, field, buf_slice(&hex));
}

static bool answer_heatmap_is_of_spans(const struct answer_heatmap *h)
{
    return h->q->request.heatmap_type.value == HEATMAP_SPAN;
}

static void answer_heatmap_put_exemplar(const struct answer_heatmap *h, const struct heatmap_profile *p,
                                        struct buf *out)
{
    cleanup_buf struct buf e = BUF_INIT(1 << 10), id = BUF_INIT(64);
    querier_put_uuid(&id, p->id);
    wire_number(&e, 1, (uint64_t)p->ms);
    wire_bytes(&e, 2, buf_slice(&id));
    if (answer_heatmap_is_of_spans(h))
        answer_heatmap_put_hex(&e, 3, p->span, sizeof p->span);
    wire_number(&e, 4, (uint64_t)p->total);
    if (p->has_trace)
        answer_heatmap_put_hex(&e, 6, p->trace, sizeof p->trace);
    wire_bytes(out, 4, buf_slice(&e));
}

/* The profiles of one slot, the smallest first. */
static void answer_heatmap_put_slot(const struct answer_heatmap *h, const struct heatmap_profile *p, size_t n,
                                    struct buf *out)
{
    cleanup_buf struct buf slot = BUF_INIT(1 << 16), y = BUF_INIT(1 << 10), counts = BUF_INIT(1 << 10);
    uint32_t count[COLUMNS] = {0};
    const struct heatmap_profile *largest[COLUMNS] = {0};
    for (size_t i = 0; i < n; i++) {
        const size_t column = value_scale_column(&h->scale, p[i].total);
        count[column]++;
        largest[column] = &p[i];
    }
    wire_number(&slot, 1, (uint64_t)(h->q->range.from_ms + p->slot * h->q->step_ms));
    for (size_t i = 0; i < COLUMNS; i++) {
        wire_packed_double(&y, (double)h->scale.least + (double)i * value_scale_width(&h->scale));
        wire_varint(&counts, count[i]);
    }
    wire_bytes(&slot, 2, buf_slice(&y));
    wire_bytes(&slot, 3, buf_slice(&counts));
    const int64_t exemplars = h->q->request.exemplar_type.value;
    for (size_t i = 0; i < COLUMNS && (exemplars == EXEMPLARS_INDIVIDUAL || exemplars == EXEMPLARS_SPAN); i++)
        if (largest[i])
            answer_heatmap_put_exemplar(h, largest[i], &slot);
    wire_bytes(out, 2, buf_slice(&slot));
}

/* The profiles of one group, by slot. */
static void answer_heatmap_put_group(const struct answer_heatmap *h, const struct heatmap_profile *p, size_t n,
                                     struct buf *out)
{
    cleanup_buf struct buf series = BUF_INIT(QUERIER_ANSWER_MAX);
    querier_put_labels(h->groups.keys[p->group], 1, &series);
    for (size_t i = 0, k; i < n; i += k) {
        k = 1;
        while (i + k < n && p[i + k].slot == p[i].slot)
            k++;
        answer_heatmap_put_slot(h, &p[i], k, &series);
    }
    wire_bytes(out, 1, buf_slice(&series));
    out->failed |= !buf_ok(&series);
}

struct heatmap_group {
    size_t first, count;
    struct str key;
};

static int answer_heatmap_most_first(const void *a, const void *b)
{
    const struct heatmap_group *x = a, *y = b;
    return x->count != y->count ? (x->count < y->count) - (x->count > y->count) : str_cmp(x->key, y->key);
}

static void answer_heatmap_put(struct answer_heatmap *h)
{
    const int64_t limit = h->q->request.limit.value;
    cleanup_free struct heatmap_group *groups = xcalloc(h->groups.len + 1, sizeof *groups);
    size_t n = 0;
    if (h->len)
        qsort(h->items, h->len, sizeof *h->items, answer_heatmap_order);
    for (size_t i = 0; i < h->len; i++) {
        if (i == 0 || h->items[i].group != h->items[i - 1].group)
            groups[n++] = (struct heatmap_group){.first = i, .key = h->groups.keys[h->items[i].group]};
        groups[n - 1].count++;
    }
    qsort(groups, n, sizeof *groups, answer_heatmap_most_first);
    if (limit > 0 && (uint64_t)limit < n)
        n = (size_t)limit;
    for (size_t i = 0; i < n; i++)
        answer_heatmap_put_group(h, &h->items[groups[i].first], groups[i].count, &h->q->out);
}

static int answer_heatmap_run(struct querier_call *q, struct store_reader *r)
{
    struct answer_heatmap h = {.q = q, .scale = {.columns = COLUMNS}};
    const struct store_filter filter = {&q->selector, q->range};
    label_groups_init(&h.groups, q->request.group_by.items, q->request.group_by.len);
    const struct values_ask spans = {.by_span = true};
    int code = answer_heatmap_is_of_spans(&h)
                   ? store_each_value(r, &filter, &spans, answer_heatmap_visit_span, &h, &q->err)
                   : store_each_point(r, &filter, answer_heatmap_visit, &h, &q->err);
    if (code == 0 && (h.full || h.groups.full))
        code = err_set(&q->err, -EMSGSIZE,
                       "more than %zu profiles or spans: choose a shorter time range or add label matchers",
                       HEATMAP_PROFILES_BYTES / sizeof *h.items);
    if (code == 0)
        answer_heatmap_put(&h);
    label_groups_done(&h.groups);
    free(h.items);
    return code;
}

static int answer_heatmap_prepare(struct querier_call *q)
{
    int code = querier_call_select(q);
    if (code == 0)
        code = querier_call_step(q);
    if (code == 0 && q->range.from_ms >= q->range.until_ms)
        code = err_set(&q->err, -EINVAL, "start must be before end");
    const int64_t type = q->request.heatmap_type.value;
    if (code == 0 && type != HEATMAP_INDIVIDUAL && type != HEATMAP_SPAN)
        code = err_set(&q->err, -EINVAL, "valid heatmap query type must be specified");
    if (code == 0 && type == HEATMAP_INDIVIDUAL && q->request.exemplar_type.value == EXEMPLARS_SPAN)
        code = err_set(&q->err, -EINVAL, "exemplars of spans require a heat map of spans");
    return code;
}

const struct querier_answer answer_heatmap = {answer_heatmap_prepare, answer_heatmap_run};
