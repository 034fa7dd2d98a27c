#include "api/page/flame_search.h"

#include "base/cleanup.h"
#include "base/mem.h"

int64_t flame_search(const struct flame *f, uint32_t at, const struct name_matches *search)
{
    cleanup_free bool *hits = name_matches_of(search, f);
    /* Of each node: it is beneath `at` (or that itself), and no match is above it. */
    cleanup_free bool *open = xcalloc(f->node_count, sizeof *open);
    int64_t sum = 0;
    for (size_t i = at; hits && i < f->node_count; i++) {
        const struct flame_node *n = &f->nodes[i];
        if (i != at && !open[n->parent])
            continue;
        open[i] = !hits[n->name];
        if (!open[i])
            sum = flame_sum(sum, n->total);
    }
    return sum;
}
