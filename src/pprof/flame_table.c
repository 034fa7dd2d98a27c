#include "pprof/flame_table.h"

#include <stdlib.h>

#include "base/cleanup.h"
#include "base/mem.h"

/* More than anybody looks at; what is beyond counts for the deepest frame that is known. */
enum { NODES_MAX = 4 << 20, NAME_BYTES_MAX = 128 << 20 };

static bool flame_table_counts(const int64_t *values, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        if (values[i] > 0)
            return true;
    }
    return false;
}

uint32_t flame_table_node(struct flame_table *t, struct flame_frames *frames, struct id_map *known,
                          const struct symbols *symbols, uint32_t stack)
{
    uint32_t *const node = id_map_at(known, stack);
    if (!node) /* no memory */
        return flame_stack(&t->flame, frames, 0, symbols, stack);
    if (*node == 0)
        *node = flame_stack(&t->flame, frames, 0, symbols, stack) + 1;
    return *node - 1;
}

void flame_table_init(struct flame_table *t, const struct profile *p)
{
    *t = (struct flame_table){.columns = p->type_count};
    flame_init(&t->flame, NODES_MAX, NAME_BYTES_MAX);
    cleanup_flame_frames struct flame_frames frames = {0};
    struct id_map known = ID_MAP_INIT;
    cleanup_free uint32_t *nodes = xcalloc(p->sample_count + 1, sizeof *nodes);
    for (size_t i = 0; i < p->sample_count; i++) {
        if (flame_table_counts(profile_values(p, i), p->type_count))
            nodes[i] = flame_table_node(t, &frames, &known, p->symbols, p->samples[i].stack);
    }
    id_map_done(&known);
    t->self = xcalloc(t->flame.node_count * t->columns + 1, sizeof *t->self);
    for (size_t i = 0; i < p->sample_count; i++) {
        const int64_t *values = profile_values(p, i);
        int64_t *self = flame_table_self(t, nodes[i]);
        for (size_t k = 0; k < t->columns; k++) {
            if (values[k] > 0)
                self[k] = flame_sum(self[k], values[k]);
        }
    }
}

void flame_table_done(struct flame_table *t)
{
    flame_done(&t->flame);
    free(t->self);
    *t = (struct flame_table){0};
}
