#include "api/pyroscope/flame_levels.h"

#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/mem.h"
#include "base/wire.h"

/* ---- values and order ---- */

static int64_t flame_levels_sum(const struct flame_levels *l, uint32_t node)
{
    return flame_sum(l->total[0][node], l->sides == FLAME_SIDES ? l->total[1][node] : 0);
}

static int flame_levels_larger_first(const void *a, const void *b)
{
    const int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;
    return (x < y) - (x > y);
}

static int64_t flame_levels_threshold(const struct flame_levels *l, size_t nodes)
{
    cleanup_free int64_t *sums = xcalloc(l->flame->node_count, sizeof *sums);
    size_t n = 0;
    for (uint32_t i = 1; i < l->flame->node_count; i++)
        if (flame_levels_sum(l, i) > 0)
            sums[n++] = flame_levels_sum(l, i);
    if (n <= nodes || nodes == 0)
        return 1;
    qsort(sums, n, sizeof *sums, flame_levels_larger_first);
    return sums[nodes - 1];
}

struct named_node {
    struct str name;
    uint32_t node;
};

static int flame_levels_later_name_first(const void *a, const void *b)
{
    const struct named_node *x = a, *y = b;
    const int order = str_cmp(y->name, x->name);
    return order ? order : (x->node < y->node) - (x->node > y->node);
}

/* Each is put before those that are there, the last name first. */
static void flame_levels_order(struct flame_levels *l)
{
    const struct flame *f = l->flame;
    cleanup_free struct named_node *order = xcalloc(f->node_count, sizeof *order);
    for (uint32_t i = 1; i < f->node_count; i++)
        order[i - 1] = (struct named_node){f->names[f->nodes[i].name], i};
    qsort(order, f->node_count - 1, sizeof *order, flame_levels_later_name_first);
    l->first = xcalloc(f->node_count, sizeof *l->first);
    l->next = xcalloc(f->node_count, sizeof *l->next);
    for (size_t i = 0; i + 1 < f->node_count; i++) {
        const uint32_t node = order[i].node, parent = f->nodes[node].parent;
        l->next[node] = l->first[parent];
        l->first[parent] = node;
    }
}

static void flame_levels_finish(struct flame_levels *l, size_t nodes)
{
    for (size_t s = 0; s < l->sides; s++)
        l->total[s] = flame_totals(l->flame, l->self[s]);
    flame_levels_order(l);
    l->threshold = flame_levels_threshold(l, nodes);
}

void flame_levels_init(struct flame_levels *l, const struct flame *f, size_t nodes)
{
    *l = (struct flame_levels){.flame = f, .sides = 1};
    l->self[0] = xcalloc(f->node_count, sizeof *l->self[0]);
    for (size_t i = 0; i < f->node_count; i++)
        l->self[0][i] = f->nodes[i].self;
    flame_levels_finish(l, nodes);
}

void flame_levels_compare(struct flame_levels *l, struct flame *both, const struct flame *left,
                          const struct flame *right, size_t nodes)
{
    *l = (struct flame_levels){.flame = both, .sides = FLAME_SIDES};
    flame_pair(both, (const struct flame *[]){left, right}, l->self);
    flame_levels_finish(l, nodes);
}

void flame_levels_done(struct flame_levels *l)
{
    for (size_t s = 0; s < FLAME_SIDES; s++) {
        free(l->self[s]);
        free(l->total[s]);
    }
    free(l->first);
    free(l->next);
    *l = (struct flame_levels){0};
}

/* ---- bars ---- */

#define BAR_OTHER UINT32_MAX

struct flame_bar {
    uint32_t node; /* BAR_OTHER: what was left out beneath its parent */
    int64_t x[FLAME_SIDES], other[FLAME_SIDES];
};

struct bar_list {
    struct flame_bar *items; /* owned */
    size_t len, cap;
};

struct level_writer {
    const struct flame_levels *l;
    struct buf *out;
    uint32_t *numbers; /* name -> its number in the answer + 1; the last one is of "other" */
    int64_t most;
};

static void flame_levels_add_bar(struct bar_list *list, struct flame_bar bar)
{
    xgrow(&list->items, &list->cap, list->len + 1, sizeof *list->items);
    list->items[list->len++] = bar;
}

/* Appends the children of a bar, whose own value comes first. */
static void flame_levels_below(const struct flame_levels *l, const struct flame_bar *bar, struct bar_list *below)
{
    struct flame_bar other = {.node = BAR_OTHER};
    int64_t x[FLAME_SIDES] = {0};
    if (bar->node == BAR_OTHER)
        return;
    for (size_t s = 0; s < l->sides; s++)
        x[s] = flame_sum(bar->x[s], l->self[s][bar->node]);
    for (uint32_t c = l->first[bar->node]; c; c = l->next[c]) {
        const bool kept = flame_levels_keeps(l, c);
        struct flame_bar child = {.node = c};
        for (size_t s = 0; s < l->sides; s++) {
            child.x[s] = x[s];
            if (kept)
                x[s] = flame_sum(x[s], l->total[s][c]);
            else
                other.other[s] = flame_sum(other.other[s], l->total[s][c]);
        }
        if (kept)
            flame_levels_add_bar(below, child);
    }
    memcpy(other.x, x, sizeof x);
    if (other.other[0] || other.other[1])
        flame_levels_add_bar(below, other);
}

static uint32_t flame_levels_number(const struct level_writer *w, uint32_t node)
{
    if (node == 0)
        return 0;
    return w->numbers[node == BAR_OTHER ? w->l->flame->name_count : w->l->flame->nodes[node].name];
}

static void flame_levels_put_level(struct level_writer *w, const struct bar_list *level)
{
    cleanup_buf struct buf packed = BUF_INIT(w->out->max), message = BUF_INIT(w->out->max);
    int64_t end[FLAME_SIDES] = {0};
    for (size_t i = 0; i < level->len; i++) {
        const struct flame_bar *b = &level->items[i];
        for (size_t s = 0; s < w->l->sides; s++) {
            const int64_t total = b->node == BAR_OTHER ? b->other[s] : w->l->total[s][b->node];
            const int64_t self = b->node == BAR_OTHER ? total : w->l->self[s][b->node];
            wire_varint(&packed, (uint64_t)(b->x[s] - end[s]));
            wire_varint(&packed, (uint64_t)total);
            wire_varint(&packed, (uint64_t)self);
            end[s] = flame_sum(b->x[s], total);
            w->most = self > w->most ? self : w->most;
        }
        wire_varint(&packed, flame_levels_number(w, b->node));
    }
    wire_bytes(&message, 1, buf_slice(&packed));
    wire_bytes(w->out, 2, buf_slice(&message));
    w->out->failed |= !buf_ok(&packed) || !buf_ok(&message);
}

static void flame_levels_put_levels(struct level_writer *w)
{
    struct bar_list level = {0}, below = {0};
    flame_levels_add_bar(&level, (struct flame_bar){0});
    while (level.len && buf_ok(w->out)) {
        flame_levels_put_level(w, &level);
        below.len = 0;
        for (size_t i = 0; i < level.len; i++)
            flame_levels_below(w->l, &level.items[i], &below);
        const struct bar_list swap = level;
        level = below;
        below = swap;
    }
    free(level.items);
    free(below.items);
}

/* ---- names ---- */

/* Nodes still to be visited, the next one last. */
struct node_stack {
    uint32_t *items; /* owned */
    size_t len, cap;
};

static void flame_levels_push(struct node_stack *s, uint32_t node)
{
    xgrow(&s->items, &s->cap, s->len + 1, sizeof *s->items);
    s->items[s->len++] = node;
}

/* Pushes the children that are drawn; how many, "other" included. */
static uint32_t flame_levels_push_children(const struct flame_levels *l, uint32_t node, struct node_stack *s,
                                           int64_t *other)
{
    uint32_t n = 0;
    bool rest = false;
    *other = 0;
    for (uint32_t c = l->first[node]; c; c = l->next[c]) {
        if (flame_levels_keeps(l, c)) {
            flame_levels_push(s, c);
            n++;
        } else if (flame_levels_sum(l, c) > 0) {
            rest = true;
            *other = flame_sum(*other, l->total[0][c]);
        }
    }
    if (rest)
        flame_levels_push(s, BAR_OTHER);
    return n + rest;
}

static void flame_levels_put_name(struct level_writer *w, uint32_t node, uint32_t *count)
{
    const struct flame *f = w->l->flame;
    const uint32_t name = node == BAR_OTHER ? (uint32_t)f->name_count : f->nodes[node].name;
    if (w->numbers[name])
        return;
    w->numbers[name] = (*count)++;
    wire_bytes(w->out, 1, node == BAR_OTHER ? STR("other") : f->names[name]);
}

/* In the order of a walk that takes the last child first. */
static void flame_levels_put_names(struct level_writer *w)
{
    struct node_stack todo = {0};
    uint32_t count = 1;
    int64_t ignored;
    wire_bytes(w->out, 1, STR("total"));
    (void)flame_levels_push_children(w->l, 0, &todo, &ignored);
    while (todo.len) {
        const uint32_t node = todo.items[--todo.len];
        flame_levels_put_name(w, node, &count);
        if (node != BAR_OTHER)
            (void)flame_levels_push_children(w->l, node, &todo, &ignored);
    }
    free(todo.items);
}

void flame_levels_put(const struct flame_levels *l, struct buf *out)
{
    cleanup_free uint32_t *numbers = xcalloc(l->flame->name_count + 1, sizeof *numbers);
    struct level_writer w = {.l = l, .out = out, .numbers = numbers};
    flame_levels_put_names(&w);
    flame_levels_put_levels(&w);
    wire_number(out, 3, (uint64_t)flame_levels_sum(l, 0));
    wire_number(out, 4, (uint64_t)w.most);
    if (l->sides < FLAME_SIDES)
        return;
    wire_number(out, 5, (uint64_t)l->total[0][0]);
    wire_number(out, 6, (uint64_t)l->total[1][0]);
}

/* ---- the tree format ---- */

struct other_stack {
    int64_t *items; /* owned; what the "other" nodes on the way count, the next one last */
    size_t len, cap;
};

static void flame_levels_put_tree_node(struct str name, int64_t self, uint32_t children, struct buf *out)
{
    wire_varint(out, name.n);
    buf_str(out, name);
    wire_varint(out, (uint64_t)self);
    wire_varint(out, children);
}

/* Preorder from a root without a name, the last child first. */
void flame_levels_put_tree(const struct flame_levels *l, struct buf *out)
{
    struct node_stack todo = {0};
    struct other_stack others = {0};
    flame_levels_push(&todo, 0);
    while (todo.len) {
        const uint32_t node = todo.items[--todo.len];
        int64_t other;
        if (node == BAR_OTHER) {
            flame_levels_put_tree_node(STR("other"), others.items[--others.len], 0, out);
            continue;
        }
        const uint32_t children = flame_levels_push_children(l, node, &todo, &other);
        if (other) {
            xgrow(&others.items, &others.cap, others.len + 1, sizeof *others.items);
            others.items[others.len++] = other;
        }
        flame_levels_put_tree_node(node ? l->flame->names[l->flame->nodes[node].name] : STR(""), l->self[0][node],
                                   children, out);
    }
    free(todo.items);
    free(others.items);
}
