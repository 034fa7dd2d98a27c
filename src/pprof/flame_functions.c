#include "pprof/flame_functions.h"

#include "base/cleanup.h"
#include "base/mem.h"

struct function_walk {
    const struct flame *f;
    const int64_t *self, *total;
    struct function_sum *sums;
    uint32_t *open; /* by name: frames of it from `at` to the node at hand */
};

static void function_walk_enter(struct function_walk *w, uint32_t node)
{
    const struct flame_node *n = &w->f->nodes[node];
    struct function_sum *sum = &w->sums[n->name];
    /* The root is no function, though one may have its name. */
    if (node == 0)
        return;
    sum->self = flame_sum(sum->self, w->self ? w->self[node] : n->self);
    if (w->open[n->name]++ == 0)
        sum->total = flame_sum(sum->total, w->total ? w->total[node] : n->total);
}

static void function_walk_leave(struct function_walk *w, uint32_t node)
{
    if (node)
        w->open[w->f->nodes[node].name]--;
}

void flame_functions(const struct flame *f, uint32_t at, const int64_t *self, const int64_t *total,
                     struct function_sum *sums)
{
    cleanup_free uint32_t *open = xcalloc(f->name_count, sizeof *open);
    struct function_walk w = {f, self, total, sums, open};
    uint32_t node = at;
    function_walk_enter(&w, node);
    for (;;) {
        uint32_t next = f->nodes[node].first_child;
        while (!next && node != at) {
            function_walk_leave(&w, node);
            next = f->nodes[node].next_sibling;
            node = f->nodes[node].parent;
        }
        if (!next)
            return;
        node = next;
        function_walk_enter(&w, node);
    }
}
