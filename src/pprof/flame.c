#include "pprof/flame.h"

#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/mem.h"

void flame_init(struct flame *f, size_t nodes_max, size_t name_bytes_max)
{
    *f = (struct flame){.text = ARENA_INIT(name_bytes_max), .nodes_max = nodes_max};
    int64_t root = flame_name(f, STR("total"));
    xgrow(&f->nodes, &f->node_cap, 1, sizeof *f->nodes);
    f->nodes[0] = (struct flame_node){.name = (uint32_t)root};
    f->node_count = 1;
}

void flame_done(struct flame *f)
{
    free(f->nodes);
    free(f->names);
    strmap_done(&f->name_ids);
    u64map_done(&f->children);
    arena_done(&f->text);
    *f = (struct flame){0};
}

size_t flame_bytes(const struct flame *f)
{
    enum { CHILD_BYTES = 3 * sizeof(uint64_t) }; /* a slot of base/map.c */
    return f->node_cap * sizeof *f->nodes + f->children.cap * CHILD_BYTES + f->name_cap * sizeof *f->names +
           f->name_ids.cap * sizeof *f->name_ids.entries + f->name_ids.index_cap * sizeof *f->name_ids.index +
           f->text.used;
}

int64_t flame_name(struct flame *f, struct str name)
{
    void *known = strmap_get(&f->name_ids, name);
    if (known)
        return (int64_t)(uintptr_t)known - 1;
    struct str copy = arena_str(&f->text, name);
    if (!copy.p || f->name_count == f->nodes_max) {
        f->truncated = true;
        return FLAME_NO_NAME;
    }
    xgrow(&f->names, &f->name_cap, f->name_count + 1, sizeof *f->names);
    f->names[f->name_count++] = copy;
    strmap_put(&f->name_ids, copy, (void *)(uintptr_t)f->name_count);
    return (int64_t)f->name_count - 1;
}

uint32_t flame_step(struct flame *f, uint32_t node, int64_t name)
{
    if (name < 0)
        return node;
    /* Most nodes have one child, which is beside them: that is found without the map. */
    const uint32_t last = f->nodes[node].first_child;
    if (last && f->nodes[last].parent == node && f->nodes[last].name == (uint32_t)name)
        return last;
    uint64_t key = (uint64_t)node << 32 | (uint64_t)name;
    uint64_t known;
    if (u64map_get(&f->children, key, &known)) {
        f->nodes[node].first_child = (uint32_t)known;
        return (uint32_t)known;
    }
    if (f->node_count == f->nodes_max) {
        f->truncated = true;
        return node;
    }
    xgrow(&f->nodes, &f->node_cap, f->node_count + 1, sizeof *f->nodes);
    uint32_t id = (uint32_t)f->node_count++;
    f->nodes[id] = (struct flame_node){.parent = node, .name = (uint32_t)name};
    f->nodes[node].first_child = id;
    u64map_put(&f->children, key, id);
    return id;
}

void flame_frames_done(struct flame_frames *frames)
{
    id_map_done(&frames->ids);
}

static int64_t flame_frame_name(struct flame *f, struct flame_frames *frames, const struct symbols *symbols,
                                uint32_t location)
{
    uint32_t *const id = id_map_at(&frames->ids, location);
    if (!id)
        return -1;
    if (*id == 0) {
        struct str name = symbols_name(symbols, location);
        *id = (uint32_t)(flame_name(f, name.n ? name : STR("(unknown)")) + 2);
    }
    return (int64_t)*id - 2;
}

uint32_t flame_stack(struct flame *f, struct flame_frames *frames, uint32_t node, const struct symbols *symbols,
                     uint32_t stack)
{
    const struct pprof_stack *s = &symbols->stacks[stack];
    for (uint32_t i = s->count; i-- > 0;) {
        int64_t name = flame_frame_name(f, frames, symbols, s->locations[i]);
        if (name < 0)
            break; /* beyond the cap: the rest of the stack counts for what is known of it */
        node = flame_step(f, node, name);
    }
    return node;
}

static int flame_by_total(const void *a, const void *b)
{
    int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;
    return x < y ? 1 : x > y ? -1 : 0;
}

/* Node and total side by side, for sorting without a global. */
struct ranked_node {
    int64_t total;
    uint32_t node;
};

static int flame_smaller_first(const void *a, const void *b)
{
    const struct ranked_node *x = a, *y = b;
    if (x->total != y->total)
        return x->total < y->total ? -1 : 1;
    return x->node < y->node ? 1 : -1; /* equal ones keep the order of their appearance */
}

void flame_finish(struct flame *f)
{
    for (size_t i = 0; i < f->node_count; i++) {
        f->nodes[i].total = f->nodes[i].self;
        f->nodes[i].first_child = 0;
    }
    /* A parent's index is smaller than its children's: one pass from the end sums up. */
    for (size_t i = f->node_count; i-- > 1;) {
        struct flame_node *parent = &f->nodes[f->nodes[i].parent];
        parent->total = flame_sum(parent->total, f->nodes[i].total);
    }
    cleanup_free struct ranked_node *order = xcalloc(f->node_count, sizeof *order);
    for (size_t i = 1; i < f->node_count; i++)
        order[i] = (struct ranked_node){f->nodes[i].total, (uint32_t)i};
    qsort(order + 1, f->node_count - 1, sizeof *order, flame_smaller_first);
    /* Pushed to the front, the largest last. */
    for (size_t i = 1; i < f->node_count; i++) {
        struct flame_node *n = &f->nodes[order[i].node], *parent = &f->nodes[n->parent];
        n->next_sibling = parent->first_child;
        parent->first_child = order[i].node;
    }
}

int64_t flame_threshold(const struct flame *f, uint32_t at, size_t max)
{
    cleanup_free int64_t *totals = xcalloc(f->node_count, sizeof *totals);
    cleanup_free bool *beneath = xcalloc(f->node_count, sizeof *beneath);
    size_t n = 0;
    for (size_t i = at; i < f->node_count; i++) {
        beneath[i] = i == at || beneath[f->nodes[i].parent];
        if (beneath[i])
            totals[n++] = f->nodes[i].total;
    }
    if (n <= max)
        return 1;
    qsort(totals, n, sizeof *totals, flame_by_total);
    return max ? totals[max - 1] + (totals[max] == totals[max - 1]) : INT64_MAX;
}

uint32_t flame_find(const struct flame *f, const struct str *names, size_t n)
{
    uint32_t node = 0;
    for (size_t i = 0; i < n; i++) {
        const uintptr_t id = (uintptr_t)strmap_get(&f->name_ids, names[i]);
        uint64_t child;
        if (!id || !u64map_get(&f->children, (uint64_t)node << 32 | (id - 1), &child))
            break;
        node = (uint32_t)child;
    }
    return node;
}
