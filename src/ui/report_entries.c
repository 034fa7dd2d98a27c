#include "ui/report_entries.h"

#include <inttypes.h>
#include <stdlib.h>

#include "base/mem.h"

static int entry_by_place(const void *a_, const void *b_)
{
    const struct report_entry *a = a_, *b = b_;
    if (a->at != b->at)
        return a->at < b->at ? -1 : 1;
    if (a->thread != b->thread)
        return a->thread < b->thread ? -1 : 1;
    return a->node == b->node ? 0 : a->node < b->node ? -1 : 1;
}

static void entries_merge(struct report_entries *r, size_t columns)
{
    size_t kept = 0;
    qsort(r->items, r->len, sizeof *r->items, entry_by_place);
    for (size_t i = 0; i < r->len; i++) {
        if (kept == 0 || entry_by_place(&r->items[kept - 1], &r->items[i]) != 0) {
            r->items[kept++] = r->items[i];
            continue;
        }
        for (size_t k = 0; k < columns; k++)
            r->items[kept - 1].values[k] = flame_sum(r->items[kept - 1].values[k], r->items[i].values[k]);
    }
    r->len = kept;
}

void report_entries_init(struct report_entries *r, const struct profile *p, struct flame_table *t,
                         report_entry_fn *fill, const void *context)
{
    cleanup_flame_frames struct flame_frames frames = {0};
    struct id_map known = ID_MAP_INIT;
    *r = (struct report_entries){.items = xcalloc(p->sample_count + 1, sizeof *r->items)};
    for (size_t i = 0; i < p->sample_count; i++) {
        struct report_entry e = {0};
        bool counts = false;
        for (size_t k = 0; k < p->type_count; k++) {
            const int64_t value = profile_values(p, i)[k];
            e.values[k] = value > 0 ? value : 0;
            counts = counts || value > 0;
        }
        if (!counts || !fill(context, p->samples[i].labels, &e))
            continue;
        e.node = flame_table_node(t, &frames, &known, p->symbols, p->samples[i].stack);
        r->items[r->len++] = e;
    }
    id_map_done(&known);
    entries_merge(r, p->type_count);
}

void report_entries_done(struct report_entries *r)
{
    free(r->items);
}

void report_put_entry_threads(const struct report_entries *r, struct buf *out)
{
    buf_puts(out, "\"thread\":[");
    for (size_t i = 0; i < r->len; i++)
        buf_printf(out, "%s%" PRIu32, i ? "," : "", r->items[i].thread);
    buf_byte(out, ']');
}

void report_put_entry_values(const struct report_entries *r, size_t columns, struct buf *out)
{
    buf_puts(out, "\"node\":[");
    for (size_t i = 0; i < r->len; i++)
        buf_printf(out, "%s%" PRIu32, i ? "," : "", r->items[i].node);
    buf_puts(out, "],\"self\":[");
    for (size_t k = 0; k < columns; k++) {
        buf_puts(out, k ? ",[" : "[");
        for (size_t i = 0; i < r->len; i++)
            buf_printf(out, "%s%" PRId64, i ? "," : "", r->items[i].values[k]);
        buf_byte(out, ']');
    }
    buf_byte(out, ']');
}
