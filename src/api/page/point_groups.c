#include "api/page/point_groups.h"

#include <errno.h>
#include <stdlib.h>

#include "base/clock.h"
#include "base/mem.h"
#include "pprof/flame.h"

enum { GROUP_VALUES_MAX = 4 << 20 };

static struct point_group *point_groups_enter(struct point_groups *g, const struct store_series *series)
{
    const uint32_t number = label_group_of(&g->keys, series);
    if (number < g->len)
        return &g->items[number];
    if ((g->len + 1) * (g->buckets + 1) > GROUP_VALUES_MAX) {
        g->full = true;
        return NULL;
    }
    xgrow(&g->items, &g->cap, g->len + 1, sizeof *g->items);
    xgrow(&g->values, &g->value_cap, (g->len + 1) * g->buckets + 1, sizeof *g->values);
    for (size_t i = 0; i < g->buckets; i++)
        g->values[g->len * g->buckets + i] = 0;
    g->items[g->len] = (struct point_group){.key = g->keys.keys[number], .number = number};
    return &g->items[g->len++];
}

static void point_groups_visit(void *arg, const struct store_point *p)
{
    struct point_groups *g = arg;
    struct point_group *group = g->full ? NULL : point_groups_enter(g, p->series);
    const int64_t ms = p->time_ns / NS_PER_MS, at = (ms - g->from_ms) / g->step_ms;
    if (!group)
        return;
    group->profiles++;
    group->total = flame_sum(group->total, p->total);
    group->last_ms = ms > group->last_ms ? ms : group->last_ms;
    if (at >= 0 && (uint64_t)at < g->buckets) {
        int64_t *value = &g->values[group->number * g->buckets + (size_t)at];
        *value = flame_sum(*value, p->total);
    }
}

int point_groups_read(struct point_groups *g, struct page_call *q, struct store_reader *r, const struct str *by,
                      size_t by_count, size_t buckets)
{
    const struct page_side *side = &q->sides[PAGE_SHOWN];
    const struct store_filter filter = {&side->selector, side->range};
    *g = (struct point_groups){.buckets = buckets, .from_ms = side->range.from_ms, .step_ms = page_call_step(q)};
    label_groups_init(&g->keys, by, by_count);
    const int code = store_each_point(r, &filter, point_groups_visit, g, &q->err);
    if (code == 0 && (g->full || g->keys.full))
        return err_set(&q->err, -EMSGSIZE, "more than %zu groups: add label matchers, or ask for fewer buckets",
                       g->len);
    return code;
}

void point_groups_done(struct point_groups *g)
{
    label_groups_done(&g->keys);
    free(g->items);
    free(g->values);
}

static int point_groups_largest_first(const void *a, const void *b)
{
    const struct point_group *x = a, *y = b;
    return x->total != y->total ? (x->total < y->total) - (x->total > y->total) : str_cmp(x->key, y->key);
}

static int point_groups_by_key(const void *a, const void *b)
{
    const struct point_group *x = a, *y = b;
    return str_cmp(x->key, y->key);
}

void point_groups_sort(struct point_groups *g, bool by_total)
{
    if (g->len)
        qsort(g->items, g->len, sizeof *g->items, by_total ? point_groups_largest_first : point_groups_by_key);
}

struct str point_group_label(const struct point_group *group, struct str name)
{
    struct str rest = group->key, label, value;
    while (rest.n && str_split(&rest, '\0', &label) && str_split(&rest, '\0', &value))
        if (str_eq(label, name))
            return value;
    return STR("");
}

void point_groups_put_values(const struct point_groups *g, const struct point_group *group, struct buf *out)
{
    if (g->buckets == 0)
        return;
    buf_puts(out, ",\"values\":[");
    for (size_t i = 0; i < g->buckets; i++)
        buf_printf(out, "%s%lld", i ? "," : "", (long long)g->values[group->number * g->buckets + i]);
    buf_byte(out, ']');
}
