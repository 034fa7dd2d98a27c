#include "ui/report_heat.h"

#include <inttypes.h>
#include <stdlib.h>

#include "base/cleanup.h"
#include "base/mem.h"
#include "pprof/conversion_options.h"

struct heat_entry {
    int64_t at; /* since 1970 */
    uint32_t node;
    int64_t values[PROFILE_TYPES_MAX];
};
struct heat {
    struct heat_entry *items; /* owned */
    size_t len;
};

static bool heat_time(const struct symbols *s, uint32_t set, uint32_t key, int64_t *ret)
{
    const struct pprof_labels *labels = &s->label_sets[set];
    for (uint32_t i = 0; i < labels->count; i++) {
        *ret = labels->labels[i].num;
        if (labels->labels[i].key == key)
            return true;
    }
    return false;
}

static int heat_by_time(const void *a_, const void *b_)
{
    const struct heat_entry *a = a_, *b = b_;
    if (a->at != b->at)
        return a->at < b->at ? -1 : 1;
    return a->node == b->node ? 0 : a->node < b->node ? -1 : 1;
}

/* The samples that count in the flame graph and have a time. */
static void heat_collect(const struct profile *p, struct flame_table *t, struct heat *h)
{
    cleanup_flame_frames struct flame_frames frames = {0};
    struct id_map known = ID_MAP_INIT;
    const uint32_t key = symbols_string(p->symbols, CONVERSION_TIME);
    for (size_t i = 0; i < p->sample_count; i++) {
        struct heat_entry e = {0};
        bool counts = false;
        for (size_t k = 0; k < p->type_count; k++) {
            const int64_t value = profile_values(p, i)[k];
            e.values[k] = value > 0 ? value : 0;
            counts = counts || value > 0;
        }
        if (!counts || !heat_time(p->symbols, p->samples[i].labels, key, &e.at))
            continue;
        e.node = flame_table_node(t, &frames, &known, p->symbols, p->samples[i].stack);
        h->items[h->len++] = e;
    }
    id_map_done(&known);
}

/* Sorted by time and node, equal ones as one. */
static void heat_merge(struct heat *h, size_t columns)
{
    size_t kept = 0;
    qsort(h->items, h->len, sizeof *h->items, heat_by_time);
    for (size_t i = 0; i < h->len; i++) {
        if (kept == 0 || heat_by_time(&h->items[kept - 1], &h->items[i]) != 0) {
            h->items[kept++] = h->items[i];
            continue;
        }
        for (size_t k = 0; k < columns; k++)
            h->items[kept - 1].values[k] = flame_sum(h->items[kept - 1].values[k], h->items[i].values[k]);
    }
    h->len = kept;
}

void report_put_heat(const struct profile *p, struct flame_table *t, int64_t cell_ns, struct buf *out)
{
    struct heat h = {.items = xcalloc(p->sample_count + 1, sizeof *h.items)};
    heat_collect(p, t, &h);
    heat_merge(&h, p->type_count);
    if (h.len) {
        buf_printf(out, ",\"heat\":{\"cell_ns\":%" PRId64 ",\"start\":%" PRId64 ",\"at\":[", cell_ns,
                   h.items[0].at / cell_ns);
        for (size_t i = 0; i < h.len; i++)
            buf_printf(out, "%s%" PRId64, i ? "," : "", i ? (h.items[i].at - h.items[i - 1].at) / cell_ns : 0);
        buf_puts(out, "],\"node\":[");
        for (size_t i = 0; i < h.len; i++)
            buf_printf(out, "%s%" PRIu32, i ? "," : "", h.items[i].node);
        buf_puts(out, "],\"self\":[");
        for (size_t k = 0; k < p->type_count; k++) {
            buf_puts(out, k ? ",[" : "[");
            for (size_t i = 0; i < h.len; i++)
                buf_printf(out, "%s%" PRId64, i ? "," : "", h.items[i].values[k]);
            buf_byte(out, ']');
        }
        buf_puts(out, "]}");
    }
    free(h.items);
}
