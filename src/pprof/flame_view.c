#include "pprof/flame_view.h"

#include <stdlib.h>

#include "base/cleanup.h"
#include "base/mem.h"

bool flame_view_changes(const struct flame_view *v)
{
    return v->only || v->without || v->hidden || v->folded || v->recursion || v->callers;
}

/* ---- which stacks ---- */

/* What every node keeps of its own. */
static int64_t *view_values(const struct flame *f, const struct flame_view *v)
{
    enum { FOUND = 1, EXCLUDED = 2 };
    int64_t *values = xcalloc(f->node_count, sizeof *values);
    cleanup_free uint8_t *state = xcalloc(f->node_count, sizeof *state);
    for (size_t i = 0; i < f->node_count; i++) {
        const struct flame_node *n = &f->nodes[i];
        state[i] = i ? state[n->parent] : 0;
        if (i && v->only && v->only[n->name])
            state[i] |= FOUND;
        if (i && v->without && v->without[n->name])
            state[i] |= EXCLUDED;
        if ((!v->only || state[i] & FOUND) && !(state[i] & EXCLUDED))
            values[i] = n->self;
    }
    return values;
}

/* ---- which frames ---- */

/* A frame that stays; numbered as those of the graph, each after the one above it. */
struct view_frame {
    uint32_t above, name;
};
struct view_frames {
    struct view_frame *items; /* owned; 0 is the root */
    size_t len, cap;
    struct u64map known; /* above << 32 | name */
};

static uint32_t view_step(struct view_frames *frames, uint32_t above, uint32_t name)
{
    bool added;
    const uint64_t at = *u64map_add(&frames->known, (uint64_t)above << 32 | name, frames->len, &added);
    if (added) {
        xgrow(&frames->items, &frames->cap, frames->len + 1, sizeof *frames->items);
        frames->items[frames->len++] = (struct view_frame){above, name};
    }
    return (uint32_t)at;
}

/* Whether the last frames with `name` below them repeat those right above them; *ret: the last frame of these. */
static bool view_repeats(const struct view_frames *frames, uint32_t above, uint32_t name, uint32_t *ret)
{
    uint32_t upper = above; /* the last frame of what would be repeated */
    for (size_t length = 1; length <= FLAME_CYCLE_MAX && upper; length++) {
        /* The new frame against `upper`, then those above both. */
        uint32_t a = above, b = frames->items[upper].above;
        size_t same = frames->items[upper].name == name;
        while (same && same < length && b && frames->items[a].name == frames->items[b].name) {
            a = frames->items[a].above;
            b = frames->items[b].above;
            same++;
        }
        if (same == length) {
            *ret = upper;
            return true;
        }
        upper = frames->items[upper].above;
    }
    return false;
}

static uint32_t view_place(struct view_frames *frames, const struct flame_view *v, uint32_t above, uint32_t name)
{
    uint32_t repeated;
    if (v->hidden && v->hidden[name])
        return above;
    if (v->folded && v->folded[name] && above && v->folded[frames->items[above].name])
        return above;
    if (v->recursion && view_repeats(frames, above, name, &repeated))
        return repeated;
    return view_step(frames, above, name);
}

/* ---- the graph ---- */

static void view_put_callees(struct flame *to, const struct flame *from, const struct view_frames *frames,
                             const int64_t *values)
{
    cleanup_free bool *alive = xcalloc(frames->len, sizeof *alive);
    cleanup_free uint32_t *places = xcalloc(frames->len, sizeof *places);
    for (size_t i = frames->len; i-- > 1;) {
        alive[i] = alive[i] || values[i];
        alive[frames->items[i].above] |= alive[i];
    }
    flame_add(to, 0, values[0]);
    for (size_t i = 1; i < frames->len; i++) {
        if (!alive[i])
            continue;
        const struct view_frame *frame = &frames->items[i];
        places[i] = flame_step(to, places[frame->above], flame_name(to, from->names[frame->name]));
        flame_add(to, places[i], values[i]);
    }
}

static void view_put_callers(struct flame *to, const struct flame *from, const struct view_frames *frames,
                             const int64_t *values)
{
    for (size_t i = 0; i < frames->len; i++) {
        if (!values[i])
            continue;
        uint32_t place = 0;
        for (size_t frame = i; frame; frame = frames->items[frame].above)
            place = flame_step(to, place, flame_name(to, from->names[frames->items[frame].name]));
        flame_add(to, place, values[i]);
    }
}

void flame_view_apply(struct flame *to, const struct flame *from, const struct flame_view *v)
{
    struct view_frames frames = {0};
    cleanup_free int64_t *wanted = view_values(from, v);
    cleanup_free uint32_t *places = xcalloc(from->node_count, sizeof *places);
    xgrow(&frames.items, &frames.cap, 1, sizeof *frames.items);
    frames.items[frames.len++] = (struct view_frame){0};
    for (size_t i = 1; i < from->node_count; i++)
        places[i] = view_place(&frames, v, places[from->nodes[i].parent], from->nodes[i].name);
    cleanup_free int64_t *values = xcalloc(frames.len, sizeof *values);
    for (size_t i = 0; i < from->node_count; i++)
        values[places[i]] = flame_sum(values[places[i]], wanted[i]);
    (v->callers ? view_put_callers : view_put_callees)(to, from, &frames, values);
    to->truncated |= from->truncated;
    u64map_done(&frames.known);
    free(frames.items);
}
