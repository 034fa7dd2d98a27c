#include "api/page/flame_json.h"

#include <stdlib.h>

#include "base/cleanup.h"
#include "base/json.h"
#include "base/mem.h"

enum { TOP_MAX = 50 };

struct flame_printer {
    struct buf *out;
    const struct flame_json *j;
    const struct flame *f;
    uint32_t *number_of; /* name -> 1 + its number in the answer, in order of use */
    uint32_t *names;
    size_t name_count;
    int64_t threshold;
    bool first;
};

static unsigned flame_json_number(struct flame_printer *p, uint32_t name)
{
    if (!p->number_of[name]) {
        p->names[p->name_count++] = name;
        p->number_of[name] = (uint32_t)p->name_count;
    }
    return p->number_of[name] - 1;
}

static int64_t flame_json_self(const struct flame_printer *p, uint32_t node, size_t side)
{
    return p->j->self[side] ? p->j->self[side][node] : p->f->nodes[node].self;
}

static int64_t flame_json_total(const struct flame_printer *p, uint32_t node, size_t side)
{
    return p->j->total[side] ? p->j->total[side][node] : p->f->nodes[node].total;
}

static size_t flame_json_sides(const struct flame_printer *p)
{
    return p->j->total[0] ? FLAME_SIDES : 1;
}

static void flame_json_begin_node(struct flame_printer *p, unsigned depth, uint32_t name)
{
    buf_printf(p->out, "%s%u,%u", p->first ? "" : ",", depth, flame_json_number(p, name));
    p->first = false;
}

static void flame_json_put_node(struct flame_printer *p, unsigned depth, uint32_t node)
{
    flame_json_begin_node(p, depth, p->f->nodes[node].name);
    for (size_t s = 0; s < flame_json_sides(p); s++)
        buf_printf(p->out, ",%lld,%lld", (long long)flame_json_self(p, node, s),
                   (long long)flame_json_total(p, node, s));
}

/* Children are sorted by total: from the first small one on, all are small. */
static void flame_json_put_rest(struct flame_printer *p, unsigned depth, uint32_t child, uint32_t other)
{
    int64_t rest[FLAME_SIDES] = {0};
    for (uint32_t c = child; c; c = p->f->nodes[c].next_sibling)
        for (size_t s = 0; s < flame_json_sides(p); s++)
            rest[s] = flame_sum(rest[s], flame_json_total(p, c, s));
    if (rest[0] <= 0 && rest[1] <= 0)
        return;
    flame_json_begin_node(p, depth, other);
    for (size_t s = 0; s < flame_json_sides(p); s++)
        buf_printf(p->out, ",%lld,%lld", (long long)rest[s], (long long)rest[s]);
}

/* From the root down to `at`, whose depth is returned. */
static unsigned flame_json_put_above(struct flame_printer *p, uint32_t at)
{
    const struct flame_node *nodes = p->f->nodes;
    unsigned depth = 0;
    for (uint32_t i = at; i; i = nodes[i].parent)
        depth++;
    cleanup_free uint32_t *path = xcalloc(depth + 1, sizeof *path);
    for (unsigned d = depth + 1; d-- > 0; at = nodes[at].parent)
        path[d] = at;
    for (unsigned d = 0; d <= depth; d++)
        flame_json_put_node(p, d, path[d]);
    return depth;
}

static void flame_json_put_nodes(struct flame_printer *p, uint32_t root, uint32_t other)
{
    const struct flame_node *nodes = p->f->nodes;
    unsigned depth = flame_json_put_above(p, root);
    for (uint32_t next = nodes[root].first_child, parent = root;;) {
        if (next && nodes[next].total >= p->threshold) {
            depth++;
            flame_json_put_node(p, depth, next);
            parent = next;
            next = nodes[next].first_child;
            continue;
        }
        flame_json_put_rest(p, depth + 1, next, other);
        /* Up: the parent's subtree is finished. */
        if (parent == root)
            return;
        next = nodes[parent].next_sibling;
        parent = nodes[parent].parent;
        depth--;
    }
}

struct flame_top {
    uint32_t name;
    int64_t self;
};

static int flame_json_by_self(const void *a, const void *b)
{
    const struct flame_top *x = a, *y = b;
    return x->self < y->self ? 1 : x->self > y->self ? -1 : x->name < y->name ? -1 : x->name > y->name;
}

/* What the functions have of their own, by name. */
static void flame_json_sum_top(const struct flame_printer *p, struct flame_top *top)
{
    const struct flame *f = p->f;
    cleanup_free unsigned *depth = xcalloc(f->node_count, sizeof *depth);
    for (size_t i = 1; i < f->node_count; i++) {
        int64_t *self = &top[f->nodes[i].name].self;
        depth[i] = depth[f->nodes[i].parent] + 1;
        if (p->j->leaf_depth == 0)
            *self = flame_sum(*self, f->nodes[i].self);
        else if (depth[i] == p->j->leaf_depth)
            *self = flame_sum(*self, f->nodes[i].total);
    }
}

/* Names with the largest own values over the whole tree, also where their frames were too small to be printed. */
static void flame_json_put_top(struct flame_printer *p)
{
    cleanup_free struct flame_top *top = xcalloc(p->f->name_count, sizeof *top);
    for (uint32_t i = 0; i < p->f->name_count; i++)
        top[i].name = i;
    flame_json_sum_top(p, top);
    qsort(top, p->f->name_count, sizeof *top, flame_json_by_self);
    for (size_t i = 0; i < TOP_MAX && i < p->f->name_count && top[i].self > 0; i++)
        buf_printf(p->out, "%s%u,%lld", i ? "," : "", flame_json_number(p, top[i].name), (long long)top[i].self);
}

void flame_json_put(const struct flame_json *j, struct buf *out)
{
    const int64_t other = flame_name(j->flame, STR("(other)"));
    cleanup_free uint32_t *numbers = xcalloc(j->flame->name_count, sizeof *numbers);
    cleanup_free uint32_t *names = xcalloc(j->flame->name_count, sizeof *names);
    struct flame_printer p = {.out = out,
                              .j = j,
                              .f = j->flame,
                              .number_of = numbers,
                              .names = names,
                              .first = true,
                              .threshold = flame_threshold(j->flame, j->at, j->nodes)};
    buf_puts(out, "\"nodes\":[");
    flame_json_put_nodes(&p, j->at, other < 0 ? 0 : (uint32_t)other);
    if (j->top) {
        buf_puts(out, "],\"top\":[");
        flame_json_put_top(&p);
    }
    buf_puts(out, "],\"names\":[");
    for (size_t i = 0; i < p.name_count; i++) {
        buf_puts(out, i ? "," : "");
        json_string(out, p.f->names[names[i]]);
    }
    buf_byte(out, ']');
}
