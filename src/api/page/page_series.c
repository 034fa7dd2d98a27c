/* What the page shows of totals: services and types, series over time by labels, the heat map. None reads a stack. */
#include <stdlib.h>

#include "api/page/point_groups.h"
#include "base/cleanup.h"
#include "base/clock.h"
#include "base/json.h"
#include "base/mem.h"
#include "store/value_scale.h"
#include "store/whole_profiles.h"

enum { SERIES_DEFAULT = 20 };

static const struct str service_label = STR("service_name"), type_label = STR("__profile_type__");

static void page_series_separate(struct buf *out, char opening)
{
    if (out->len && out->p[out->len - 1] != (uint8_t)opening)
        buf_byte(out, ',');
}

/* ---- services ---- */

static void page_services_put_name(struct buf *out, struct str name, uint64_t profiles, int64_t last_ms)
{
    page_series_separate(out, '[');
    buf_puts(out, "{\"name\":");
    json_string(out, name);
    buf_printf(out, ",\"profiles\":%llu,\"last_ms\":%lld", (unsigned long long)profiles, (long long)last_ms);
}

static void page_services_visit(void *arg, const struct store_service *s)
{
    page_services_put_name(arg, s->name, s->profiles, s->last_ms);
    buf_byte(arg, '}');
}

static void page_types_put(struct buf *out, struct str id, uint64_t profiles, int64_t total)
{
    page_series_separate(out, '[');
    buf_puts(out, "{\"id\":");
    json_string(out, id);
    buf_printf(out, ",\"profiles\":%llu,\"total\":%lld", (unsigned long long)profiles, (long long)total);
}

static int page_services_by_name(const void *a, const void *b)
{
    const struct point_group *x = a, *y = b;
    const int order = str_cmp(point_group_label(x, service_label), point_group_label(y, service_label));
    return order ? order : str_cmp(x->key, y->key);
}

/* One service: its groups are by type. */
static void page_services_put_groups(const struct point_groups *g, const struct point_group *group, size_t n,
                                     struct buf *out)
{
    uint64_t profiles = 0;
    int64_t last_ms = 0;
    for (size_t i = 0; i < n; i++) {
        profiles += group[i].profiles;
        last_ms = group[i].last_ms > last_ms ? group[i].last_ms : last_ms;
    }
    page_services_put_name(out, point_group_label(group, service_label), profiles, last_ms);
    buf_puts(out, ",\"types\":[");
    for (size_t i = 0; i < n; i++) {
        page_types_put(out, point_group_label(&group[i], type_label), group[i].profiles, group[i].total);
        point_groups_put_values(g, &group[i], out);
        buf_byte(out, '}');
    }
    buf_puts(out, "]}");
}

static int page_services_put_all(struct page_call *q, struct store_reader *r, size_t buckets)
{
    struct point_groups g;
    const struct str by[] = {service_label, type_label};
    const int code = point_groups_read(&g, q, r, by, ARRAY_LEN(by), buckets);
    if (code == 0 && g.len)
        qsort(g.items, g.len, sizeof *g.items, page_services_by_name);
    for (size_t i = 0, n; code == 0 && i < g.len; i += n) {
        const struct str name = point_group_label(&g.items[i], service_label);
        n = 1;
        while (i + n < g.len && str_eq(point_group_label(&g.items[i + n], service_label), name))
            n++;
        page_services_put_groups(&g, &g.items[i], n, &q->out);
    }
    point_groups_done(&g);
    return code;
}

static int page_services_run(struct page_call *q, struct store_reader *r)
{
    const bool with_types = page_parameter(&q->parameters, "buckets");
    const bool filtered = page_call_is_filtered(q) || page_call_service(q).n;
    int code;
    buf_byte(&q->out, '{');
    if (with_types) {
        page_put_steps(q);
        buf_byte(&q->out, ',');
    }
    buf_puts(&q->out, "\"services\":[");
    if (with_types || filtered)
        code = page_services_put_all(q, r, with_types ? q->buckets : 0);
    else
        code = store_services(r, q->sides[PAGE_SHOWN].range, page_services_visit, &q->out, &q->err);
    buf_puts(&q->out, "]}");
    return code;
}

const struct page_answer page_services = {"services", 0, page_services_run};

/* ---- types ---- */

static void page_types_visit(void *arg, const struct store_type *t)
{
    page_types_put(arg, t->id, t->profiles, t->total);
    buf_byte(arg, '}');
}

static int page_types_run_filtered(struct page_call *q, struct store_reader *r)
{
    struct point_groups g;
    const int code = point_groups_read(&g, q, r, &type_label, 1, 0);
    if (code == 0)
        point_groups_sort(&g, false);
    for (size_t i = 0; code == 0 && i < g.len; i++) {
        page_types_put(&q->out, point_group_label(&g.items[i], type_label), g.items[i].profiles, g.items[i].total);
        buf_byte(&q->out, '}');
    }
    point_groups_done(&g);
    return code;
}

static int page_types_run(struct page_call *q, struct store_reader *r)
{
    buf_puts(&q->out, "{\"types\":[");
    const int code =
        page_call_is_filtered(q) || page_call_service(q).n == 0
            ? page_types_run_filtered(q, r)
            : store_types(r, page_call_service(q), q->sides[PAGE_SHOWN].range, page_types_visit, &q->out, &q->err);
    buf_puts(&q->out, "]}");
    return code;
}

const struct page_answer page_types = {"types", PAGE_NEEDS_SERVICE, page_types_run};

/* ---- over time ---- */

static int page_timeline_run(struct page_call *q, struct store_reader *r)
{
    struct point_groups g;
    const struct point_group nothing = {0};
    const int code = point_groups_read(&g, q, r, NULL, 0, q->buckets);
    page_put_unit(q);
    buf_byte(&q->out, ',');
    page_put_steps(q);
    if (g.len == 0) { /* a group of zeros */
        free(g.values);
        g.values = xcalloc(q->buckets, sizeof *g.values);
    }
    point_groups_put_values(&g, g.len ? g.items : &nothing, &q->out);
    buf_byte(&q->out, '}');
    point_groups_done(&g);
    return code;
}

const struct page_answer page_timeline = {"timeline", PAGE_NEEDS_SERVICE | PAGE_NEEDS_TYPE, page_timeline_run};

static void page_series_put(const struct page_call *q, const struct point_groups *g, const struct point_group *group,
                            struct buf *out)
{
    bool first = true;
    buf_puts(out, "{\"labels\":{");
    for (size_t i = 0; i < q->by_count; i++) {
        const struct str value = point_group_label(group, q->by[i]);
        if (value.n == 0)
            continue;
        buf_puts(out, first ? "" : ",");
        first = false;
        json_string(out, q->by[i]);
        buf_byte(out, ':');
        json_string(out, value);
    }
    buf_printf(out, "},\"profiles\":%llu,\"total\":%lld", (unsigned long long)group->profiles, (long long)group->total);
    point_groups_put_values(g, group, out);
    buf_byte(out, '}');
}

static int page_series_run(struct page_call *q, struct store_reader *r)
{
    struct point_groups g;
    const size_t limit = q->limit ? q->limit : SERIES_DEFAULT;
    int64_t total = 0;
    const int code = point_groups_read(&g, q, r, q->by, q->by_count, q->buckets);
    point_groups_sort(&g, true);
    for (size_t i = 0; i < g.len; i++)
        total = flame_sum(total, g.items[i].total);
    page_put_unit(q);
    buf_byte(&q->out, ',');
    page_put_steps(q);
    buf_printf(&q->out, ",\"total\":%lld,\"count\":%zu,\"series\":[", (long long)total, g.len);
    for (size_t i = 0; i < g.len && i < limit; i++) {
        buf_puts(&q->out, i ? "," : "");
        page_series_put(q, &g, &g.items[i], &q->out);
    }
    buf_puts(&q->out, "]}");
    point_groups_done(&g);
    return code;
}

const struct page_answer page_series = {"series", PAGE_NEEDS_SERVICE | PAGE_NEEDS_TYPE, page_series_run};

/* ---- the heat map ---- */

struct page_heat {
    struct page_call *q;
    int64_t step_ms;
    struct value_scale scale;
    uint32_t *counts; /* owned; column after column */
};

static void page_heat_measure(void *arg, const struct whole_profile *p, const struct whole_span *span)
{
    (void)span;
    struct page_heat *h = arg;
    value_scale_add(&h->scale, p->total);
}

/* A profile that came in between the two passes lies outside of the scale and counts for its ends. */
static void page_heat_count(void *arg, const struct whole_profile *p, const struct whole_span *span)
{
    (void)span;
    struct page_heat *h = arg;
    const int64_t column = (p->ms - h->q->sides[PAGE_SHOWN].range.from_ms) / h->step_ms;
    const int64_t total = p->total < h->scale.least ? h->scale.least : p->total;
    if (column >= 0 && (uint64_t)column < h->q->buckets)
        h->counts[(size_t)column * h->q->rows + value_scale_column(&h->scale, total)]++;
}

static void page_heat_put(const struct page_heat *h, struct buf *out)
{
    bool first = true;
    buf_printf(out, ",\"least\":%lld,\"most\":%lld,\"rows\":%zu,\"columns\":%zu,\"profiles\":%zu,\"cells\":[",
               (long long)h->scale.least, (long long)h->scale.most, h->q->rows, h->q->buckets, h->scale.count);
    for (size_t i = 0; i < h->q->buckets * h->q->rows; i++) {
        if (h->counts[i])
            buf_printf(out, "%s%zu,%zu,%u", first ? "" : ",", i / h->q->rows, i % h->q->rows, h->counts[i]);
        first = first && !h->counts[i];
    }
    buf_puts(out, "]}");
}

static int page_heatmap_run(struct page_call *q, struct store_reader *r)
{
    cleanup_free uint32_t *counts = xcalloc(q->buckets * q->rows, sizeof *counts);
    struct page_heat h = {.q = q, .step_ms = page_call_step(q), .scale = {.columns = q->rows}, .counts = counts};
    const struct page_side *side = &q->sides[PAGE_SHOWN];
    const struct store_filter filter = {&side->selector, side->range};
    const struct whole_profiles_ask ask = {0};
    int code = store_each_whole_profile(r, &filter, &ask, page_heat_measure, &h, &q->err);
    if (code == 0 && h.scale.count)
        code = store_each_whole_profile(r, &filter, &ask, page_heat_count, &h, &q->err);
    page_put_unit(q);
    buf_byte(&q->out, ',');
    page_put_steps(q);
    page_heat_put(&h, &q->out);
    return code;
}

const struct page_answer page_heatmap = {"heatmap", PAGE_NEEDS_SERVICE | PAGE_NEEDS_TYPE, page_heatmap_run};
