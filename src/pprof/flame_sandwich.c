#include "pprof/flame_sandwich.h"

#include "base/cleanup.h"
#include "base/mem.h"

static void sandwich_begin(struct flame *to, const struct flame *from, uint32_t name)
{
    const int64_t root = flame_name(to, from->names[name]);
    to->nodes[0].name = root < 0 ? 0 : (uint32_t)root;
    to->truncated |= from->truncated;
}

void flame_callees(struct flame *to, const struct flame *from, uint32_t name)
{
    enum { OUTSIDE = UINT32_MAX };
    cleanup_free uint32_t *places = xcalloc(from->node_count, sizeof *places);
    sandwich_begin(to, from, name);
    places[0] = OUTSIDE; /* the root is no function, though one may have its name */
    for (size_t i = 1; i < from->node_count; i++) {
        const struct flame_node *n = &from->nodes[i];
        const uint32_t above = places[n->parent];
        if (above != OUTSIDE)
            places[i] = flame_step(to, above, flame_name(to, from->names[n->name]));
        else
            places[i] = n->name == name ? 0 : OUTSIDE;
        if (places[i] != OUTSIDE)
            flame_add(to, places[i], n->self);
    }
}

void flame_callers(struct flame *to, const struct flame *from, uint32_t name)
{
    cleanup_free bool *inside = xcalloc(from->node_count, sizeof *inside);
    sandwich_begin(to, from, name);
    for (size_t i = 1; i < from->node_count; i++) {
        const struct flame_node *n = &from->nodes[i];
        inside[i] = inside[n->parent] || n->name == name;
        if (!inside[i] || inside[n->parent])
            continue;
        uint32_t place = 0;
        for (uint32_t above = n->parent; above; above = from->nodes[above].parent)
            place = flame_step(to, place, flame_name(to, from->names[from->nodes[above].name]));
        flame_add(to, place, n->total);
    }
}
