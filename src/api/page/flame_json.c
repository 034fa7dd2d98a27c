#include "api/page/flame_json.h"

#include <stdlib.h>

#include "base/cleanup.h"
#include "base/json.h"
#include "base/mem.h"

enum { TOP_MAX = 50 };

struct flame_printer {
    struct buf *out;
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

static void flame_json_put_node(struct flame_printer *p, unsigned depth, uint32_t name, int64_t self, int64_t total)
{
    buf_printf(p->out, "%s%u,%u,%lld,%lld", p->first ? "" : ",", depth, flame_json_number(p, name), (long long)self,
               (long long)total);
    p->first = false;
}

/* Children are sorted by total: from the first small one on, all are small. */
static void flame_json_put_rest(struct flame_printer *p, unsigned depth, uint32_t child, uint32_t other)
{
    int64_t rest = 0;
    for (uint32_t c = child; c; c = p->f->nodes[c].next_sibling)
        rest += p->f->nodes[c].total;
    if (rest > 0)
        flame_json_put_node(p, depth, other, rest, rest);
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
        flame_json_put_node(p, d, nodes[path[d]].name, nodes[path[d]].self, nodes[path[d]].total);
    return depth;
}

static void flame_json_put_nodes(struct flame_printer *p, uint32_t root, uint32_t other)
{
    const struct flame_node *nodes = p->f->nodes;
    unsigned depth = flame_json_put_above(p, root);
    for (uint32_t next = nodes[root].first_child, parent = root;;) {
        if (next && nodes[next].total >= p->threshold) {
            depth++;
            flame_json_put_node(p, depth, nodes[next].name, nodes[next].self, nodes[next].total);
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

/* Names with the largest own values over the whole tree, also where their frames were too small to be printed. */
static void flame_json_put_top(struct flame_printer *p)
{
    cleanup_free struct flame_top *top = xcalloc(p->f->name_count, sizeof *top);
    for (uint32_t i = 0; i < p->f->name_count; i++)
        top[i].name = i;
    for (size_t i = 1; i < p->f->node_count; i++)
        top[p->f->nodes[i].name].self += p->f->nodes[i].self;
    qsort(top, p->f->name_count, sizeof *top, flame_json_by_self);
    for (size_t i = 0; i < TOP_MAX && i < p->f->name_count && top[i].self > 0; i++)
        buf_printf(p->out, "%s%u,%lld", i ? "," : "", flame_json_number(p, top[i].name), (long long)top[i].self);
}

void flame_json_put(struct flame *f, uint32_t at, size_t nodes, struct buf *out)
{
    const int64_t other = flame_name(f, STR("(other)"));
    cleanup_free uint32_t *numbers = xcalloc(f->name_count, sizeof *numbers);
    cleanup_free uint32_t *names = xcalloc(f->name_count, sizeof *names);
    struct flame_printer p = {.out = out,
                              .f = f,
                              .number_of = numbers,
                              .names = names,
                              .first = true,
                              .threshold = flame_threshold(f, at, nodes)};
    buf_puts(out, "\"nodes\":[");
    flame_json_put_nodes(&p, at, other < 0 ? 0 : (uint32_t)other);
    buf_puts(out, "],\"top\":[");
    flame_json_put_top(&p);
    buf_puts(out, "],\"names\":[");
    for (size_t i = 0; i < p.name_count; i++) {
        buf_puts(out, i ? "," : "");
        json_string(out, f->names[names[i]]);
    }
    buf_byte(out, ']');
}
