#include "ui/report_threads.h"

#include <stdlib.h>

#include "base/json.h"
#include "base/mem.h"
#include "ui/report_entries.h"

static uint32_t threads_name(const struct report_threads *r, const struct symbols *s, uint32_t set)
{
    const struct pprof_labels *labels = &s->label_sets[set];
    for (uint32_t i = 0; i < labels->count; i++) {
        if (labels->labels[i].key == r->key)
            return labels->labels[i].str;
    }
    return 0;
}

static bool threads_counts(const struct profile *p, size_t sample)
{
    for (size_t k = 0; k < p->type_count; k++) {
        if (profile_values(p, sample)[k] > 0)
            return true;
    }
    return false;
}

void report_threads_init(struct report_threads *r, const struct profile *p)
{
    size_t cap = 0;
    *r = (struct report_threads){.key = symbols_string(p->symbols, STR("thread")), .known = ID_MAP_INIT};
    for (size_t i = 0; i < p->sample_count; i++) {
        const uint32_t name = threads_name(r, p->symbols, p->samples[i].labels);
        uint32_t *index = threads_counts(p, i) ? id_map_at(&r->known, name) : NULL;
        if (!index || *index) /* or no memory: as the first one */
            continue;
        xgrow(&r->names, &cap, r->count + 1, sizeof *r->names);
        r->names[r->count++] = name;
        *index = (uint32_t)r->count;
    }
}

void report_threads_done(struct report_threads *r)
{
    free(r->names);
    id_map_done(&r->known);
    *r = (struct report_threads){0};
}

bool report_threads_matter(const struct report_threads *r)
{
    return r->count > 1 || (r->count == 1 && r->names[0] != 0);
}

uint32_t report_threads_index(const struct report_threads *r, const struct symbols *s, uint32_t labels)
{
    const uint32_t there = id_map_get(&r->known, threads_name(r, s, labels));
    return there ? there - 1 : 0;
}

struct threads_context {
    const struct report_threads *threads;
    const struct symbols *symbols;
};

static bool threads_fill(const void *context, uint32_t labels, struct report_entry *e)
{
    const struct threads_context *c = context;
    e->thread = report_threads_index(c->threads, c->symbols, labels);
    return true;
}

void report_put_threads(const struct report_threads *r, const struct profile *p, struct flame_table *t, struct buf *out)
{
    const struct threads_context context = {r, p->symbols};
    cleanup_report_entries struct report_entries entries;
    report_entries_init(&entries, p, t, threads_fill, &context);
    buf_puts(out, ",\"threads\":{\"names\":[");
    for (size_t i = 0; i < r->count; i++) {
        buf_puts(out, i ? "," : "");
        json_string(out, p->symbols->strings[r->names[i]]);
    }
    buf_puts(out, "],");
    report_put_entry_threads(&entries, out);
    buf_byte(out, ',');
    report_put_entry_values(&entries, p->type_count, out);
    buf_byte(out, '}');
}
