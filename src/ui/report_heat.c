#include "ui/report_heat.h"

#include <inttypes.h>

#include "pprof/conversion_options.h"
#include "ui/report_entries.h"

struct heat_context {
    const struct symbols *symbols;
    const struct report_threads *threads; /* NULL = they do not matter */
    uint32_t key;
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

/* Of the samples that have a time. */
static bool heat_fill(const void *context, uint32_t labels, struct report_entry *e)
{
    const struct heat_context *c = context;
    if (c->threads)
        e->thread = report_threads_index(c->threads, c->symbols, labels);
    return heat_time(c->symbols, labels, c->key, &e->at);
}

void report_put_heat(const struct profile *p, struct flame_table *t, int64_t cell_ns,
                     const struct report_threads *threads, struct buf *out)
{
    const struct heat_context context = {p->symbols, threads, symbols_string(p->symbols, CONVERSION_TIME)};
    cleanup_report_entries struct report_entries h;
    report_entries_init(&h, p, t, heat_fill, &context);
    if (h.len == 0)
        return;
    buf_printf(out, ",\"heat\":{\"cell_ns\":%" PRId64 ",\"start\":%" PRId64 ",\"at\":[", cell_ns,
               h.items[0].at / cell_ns);
    for (size_t i = 0; i < h.len; i++)
        buf_printf(out, "%s%" PRId64, i ? "," : "", i ? (h.items[i].at - h.items[i - 1].at) / cell_ns : 0);
    buf_puts(out, "],");
    if (threads) {
        report_put_entry_threads(&h, out);
        buf_byte(out, ',');
    }
    report_put_entry_values(&h, p->type_count, out);
    buf_byte(out, '}');
}
