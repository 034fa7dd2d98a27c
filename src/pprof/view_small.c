#include "pprof/view_small.h"

#include <errno.h>
#include <stdlib.h>

#include "base/cleanup.h"
#include "base/mem.h"
#include "pprof/flame_table.h"
#include "pprof/merge.h"

/* The frame of what is small all by itself. */
#define SMALL STR("[small]")

/* Of which nodes the total is large enough: as many bytes as there are nodes; owned by the caller. */
static uint8_t *view_large_nodes(const struct flame_table *t, double share)
{
    const size_t nodes = t->flame.node_count, columns = t->columns;
    uint8_t *large = xcalloc(nodes + 1, 1);
    cleanup_free int64_t *totals = xcalloc(nodes * columns + 1, sizeof *totals);
    memcpy(totals, t->self, nodes * columns * sizeof *totals);
    for (size_t i = nodes; i-- > 1;) { /* children come behind their parents */
        for (size_t k = 0; k < columns; k++) {
            int64_t *const up = &totals[t->flame.nodes[i].parent * columns + k];
            *up = flame_sum(*up, totals[i * columns + k]);
        }
    }
    for (size_t i = 0; i < nodes; i++) {
        for (size_t k = 0; k < columns; k++) {
            const int64_t total = totals[i * columns + k];
            large[i] |= i == 0 || (total > 0 && (double)total >= share * (double)totals[k]);
        }
    }
    return large;
}

static uint32_t view_small_stack(struct symbols *s)
{
    const struct pprof_function f = {.name = symbols_string(s, SMALL)};
    const uint32_t l = symbols_location(s, (struct pprof_location){.function = symbols_function(s, f)});
    return l == SYMBOLS_FULL ? l : symbols_stack(s, &l, 1);
}

/* The stack without what is above its last large node. */
static uint32_t view_without_small(struct flame_table *t, struct flame_frames *frames, const uint8_t *large,
                                   struct symbols *s, uint32_t stack)
{
    uint32_t node = flame_stack(&t->flame, frames, 0, s, stack), cut = 0;
    const struct pprof_stack *whole = &s->stacks[stack];
    for (; !large[node]; node = t->flame.nodes[node].parent)
        cut++;
    if (cut == 0)
        return stack;
    if (cut >= whole->count)
        return view_small_stack(s);
    /* symbols_stack() may move the table of stacks, never what a stack consists of. */
    return symbols_stack(s, whole->locations + cut, whole->count - cut);
}

int view_leave_out_small(struct profile *to, const struct profile *from, double share, struct err *err)
{
    cleanup_flame_table struct flame_table t;
    cleanup_flame_frames struct flame_frames frames = {0};
    struct symbols *s = from->symbols;
    int code = profile_merge_head(to, from, err);
    flame_table_init(&t, from);
    cleanup_free uint8_t *large = view_large_nodes(&t, share);
    const size_t known = t.flame.node_count;
    for (size_t i = 0; code == 0 && i < from->sample_count; i++) {
        const int64_t *values = profile_values(from, i);
        int64_t any = 0;
        for (size_t k = 0; k < from->type_count; k++)
            any |= values[k];
        /* Stacks of no value have no nodes, and of negative ones neither. */
        uint32_t stack = from->samples[i].stack;
        if (any > 0 && t.flame.node_count == known && !t.flame.truncated)
            stack = view_without_small(&t, &frames, large, s, stack);
        if (!profile_add(to, stack, from->samples[i].labels, values))
            code = err_set(err, -E2BIG, "the profile has too many stacks");
    }
    return code;
}
