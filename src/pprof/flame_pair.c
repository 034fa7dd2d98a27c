#include "pprof/flame_pair.h"

#include <stdlib.h>

#include "base/mem.h"

uint32_t *flame_join(struct flame *to, uint32_t at, const struct flame *side)
{
    uint32_t *places = xcalloc(side->node_count, sizeof *places);
    places[0] = at;
    for (size_t i = 1; i < side->node_count; i++) {
        const struct flame_node *n = &side->nodes[i];
        places[i] = flame_step(to, places[n->parent], flame_name(to, side->names[n->name]));
    }
    return places;
}

void flame_join_values(struct flame *to, const uint32_t *places, const struct flame *side)
{
    for (size_t i = 0; i < side->node_count; i++)
        flame_add(to, places[i], side->nodes[i].self);
    to->truncated |= side->truncated;
}

void flame_pair(struct flame *both, const struct flame *const sides[static FLAME_SIDES],
                int64_t *self[static FLAME_SIDES])
{
    uint32_t *places[FLAME_SIDES];
    for (size_t s = 0; s < FLAME_SIDES; s++)
        places[s] = flame_join(both, 0, sides[s]);
    for (size_t s = 0; s < FLAME_SIDES; s++) {
        self[s] = xcalloc(both->node_count, sizeof *self[s]);
        for (size_t i = 0; i < sides[s]->node_count; i++) {
            int64_t *sum = &self[s][places[s][i]];
            *sum = flame_sum(*sum, sides[s]->nodes[i].self);
        }
        both->truncated |= sides[s]->truncated;
        free(places[s]);
    }
}

int64_t *flame_totals(const struct flame *f, const int64_t *self)
{
    int64_t *totals = xcalloc(f->node_count, sizeof *totals);
    /* A parent's index is smaller than its children's: one pass from the end sums up. */
    for (size_t i = f->node_count; i-- > 0;) {
        totals[i] = flame_sum(totals[i], self[i]);
        if (i)
            totals[f->nodes[i].parent] = flame_sum(totals[f->nodes[i].parent], totals[i]);
    }
    return totals;
}
