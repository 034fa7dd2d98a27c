#include "api/pyroscope/flame_dot.h"

#include <inttypes.h>
#include <stdlib.h>

#include "base/cleanup.h"
#include "base/map.h"
#include "base/mem.h"

struct dot_function {
    uint32_t name;
    int64_t self, total;
};

struct dot_graph {
    const struct flame *f;
    struct dot_function *functions; /* by name, then by total; owned */
    bool *drawn;                    /* by name; owned */
    struct u64map calls;            /* caller << 32 | callee -> place + 1 of its sum */
    int64_t *sums;                  /* owned */
    size_t sum_count, sum_cap;
};

static bool dot_is_again(const struct flame *f, uint32_t node)
{
    for (uint32_t at = f->nodes[node].parent; at; at = f->nodes[at].parent)
        if (f->nodes[at].name == f->nodes[node].name)
            return true;
    return false;
}

static void dot_count(struct dot_graph *g)
{
    for (uint32_t i = 0; i < g->f->name_count; i++)
        g->functions[i].name = i;
    for (uint32_t i = 1; i < g->f->node_count; i++) {
        const struct flame_node *n = &g->f->nodes[i];
        struct dot_function *function = &g->functions[n->name];
        function->self = flame_sum(function->self, n->self);
        if (!dot_is_again(g->f, i))
            function->total = flame_sum(function->total, n->total);
    }
}

static int dot_larger_first(const void *a, const void *b)
{
    const struct dot_function *x = a, *y = b;
    return x->total != y->total ? (x->total < y->total) - (x->total > y->total)
                                : (x->name > y->name) - (x->name < y->name);
}

static void dot_add_call(struct dot_graph *g, uint32_t caller, uint32_t callee, int64_t value)
{
    uint64_t *place = u64map_add(&g->calls, (uint64_t)caller << 32 | callee, 0, NULL);
    if (*place == 0) {
        xgrow(&g->sums, &g->sum_cap, g->sum_count + 1, sizeof *g->sums);
        g->sums[g->sum_count++] = 0;
        *place = g->sum_count;
    }
    int64_t *sum = &g->sums[*place - 1];
    *sum = flame_sum(*sum, value);
}

static void dot_put_text(struct str s, struct buf *out)
{
    for (size_t i = 0; i < s.n; i++) {
        if (s.p[i] == '"' || s.p[i] == '\\')
            buf_byte(out, '\\');
        buf_byte(out, (uint8_t)s.p[i] < ' ' ? ' ' : (uint8_t)s.p[i]);
    }
}

static void dot_put_function(const struct dot_graph *g, size_t i, struct buf *out)
{
    const struct dot_function *function = &g->functions[i];
    const double all = (double)g->f->nodes[0].total / 100;
    buf_printf(out, "  N%zu [label=\"", i + 1);
    dot_put_text(g->f->names[function->name], out);
    buf_printf(out, "\\n%" PRId64 " (%.2f%%)\\nof %" PRId64 " (%.2f%%)\" shape=box]\n", function->self,
               (double)function->self / all, function->total, (double)function->total / all);
}

/* Calls in the order of the functions. */
static void dot_put_calls(const struct dot_graph *g, size_t functions, struct buf *out)
{
    for (size_t caller = 0; caller < functions; caller++) {
        for (size_t callee = 0; callee < functions; callee++) {
            uint64_t place;
            if (u64map_get(&g->calls, (uint64_t)g->functions[caller].name << 32 | g->functions[callee].name, &place))
                buf_printf(out, "  N%zu -> N%zu [label=\" %" PRId64 "\"]\n", caller + 1, callee + 1,
                           g->sums[place - 1]);
        }
    }
}

static void dot_put_graph(struct dot_graph *g, struct str type, size_t nodes, struct buf *out)
{
    const struct flame *f = g->f;
    size_t n = 0;
    dot_count(g);
    qsort(g->functions, f->name_count, sizeof *g->functions, dot_larger_first);
    while (n < f->name_count && n < nodes && g->functions[n].total > 0)
        g->drawn[g->functions[n++].name] = true;
    for (uint32_t i = 1; i < f->node_count; i++) {
        const uint32_t parent = f->nodes[i].parent;
        if (parent && f->nodes[i].total > 0 && g->drawn[f->nodes[parent].name] && g->drawn[f->nodes[i].name])
            dot_add_call(g, f->nodes[parent].name, f->nodes[i].name, f->nodes[i].total);
    }
    buf_puts(out, "digraph \"");
    dot_put_text(type, out);
    buf_puts(out, "\" {\n");
    for (size_t i = 0; i < n; i++)
        dot_put_function(g, i, out);
    dot_put_calls(g, n, out);
    buf_puts(out, "}\n");
}

void flame_dot_put(const struct flame *f, struct str type, size_t nodes, struct buf *out)
{
    if (f->nodes[0].total == 0)
        return;
    struct dot_graph g = {.f = f,
                          .functions = xcalloc(f->name_count, sizeof *g.functions),
                          .drawn = xcalloc(f->name_count, sizeof *g.drawn)};
    dot_put_graph(&g, type, nodes && nodes < FLAME_DOT_NODES ? nodes : FLAME_DOT_NODES, out);
    free(g.functions);
    free(g.drawn);
    u64map_done(&g.calls);
    free(g.sums);
}
