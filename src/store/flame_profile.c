#include "store/flame_profile.h"

#include <errno.h>
#include <stdlib.h>

#include "base/cleanup.h"
#include "base/mem.h"
#include "store/frame_text.h"
#include "store/labels_key.h"

enum { PERIOD_CPU = 1000000000, /* as Pyroscope guesses */ PERIOD_MEMORY = 512 << 10 };

struct profile_maker {
    const struct flame *f;
    const struct flame_profile *how;
    struct profile *p;
    uint32_t *locations; /* of each name of the flame + 1; the last one is of "other" */
    uint32_t *stack;     /* of the node at hand, leaf first */
    size_t stack_cap;
};

static uint32_t flame_profile_location(struct profile_maker *m, uint32_t name)
{
    struct symbols *symbols = m->p->symbols;
    if (m->locations[name])
        return m->locations[name] - 1;
    const struct frame_text t =
        name < m->f->name_count ? frame_text_read(m->f->names[name]) : (struct frame_text){.name = STR("other")};
    const struct pprof_function f = {.name = symbols_string(symbols, t.name),
                                     .system_name = symbols_string(symbols, t.system_name),
                                     .filename = symbols_string(symbols, t.filename),
                                     .start_line = t.start_line};
    const uint32_t location =
        symbols_location(symbols, (struct pprof_location){.function = symbols_function(symbols, f), .line = t.line});
    if (location != SYMBOLS_FULL)
        m->locations[name] = location + 1;
    return location;
}

static bool flame_profile_keeps(const struct profile_maker *m, uint32_t node)
{
    return node == 0 || !m->how->keep || m->how->keep[node];
}

/* One sample of the stack of a node; a node that is not kept counts for "other" of the first above it that is. */
static bool flame_profile_add(struct profile_maker *m, uint32_t node)
{
    const int64_t value = m->f->nodes[node].self;
    size_t n = 0;
    if (!flame_profile_keeps(m, node)) {
        while (!flame_profile_keeps(m, node))
            node = m->f->nodes[node].parent;
        xgrow(&m->stack, &m->stack_cap, 1, sizeof *m->stack);
        m->stack[n++] = flame_profile_location(m, (uint32_t)m->f->name_count);
    }
    for (; node; node = m->f->nodes[node].parent) {
        xgrow(&m->stack, &m->stack_cap, n + 1, sizeof *m->stack);
        m->stack[n++] = flame_profile_location(m, m->f->nodes[node].name);
    }
    for (size_t i = 0; i < n; i++)
        if (m->stack[i] == SYMBOLS_FULL)
            return false;
    if (m->how->leaf_frames && n > m->how->leaf_frames)
        n = m->how->leaf_frames;
    if (m->how->leaf_without_line && n)
        m->stack[0] = symbols_location(
            m->p->symbols, (struct pprof_location){.function = m->p->symbols->locations[m->stack[0]].function});
    return profile_add(m->p, symbols_stack(m->p->symbols, m->stack, n), 0, &value);
}

static int64_t flame_profile_period(struct str name, int64_t period)
{
    return period ? period : str_is(name, "process_cpu") ? PERIOD_CPU : str_is(name, "memory") ? PERIOD_MEMORY : 1;
}

static bool flame_profile_fill(struct profile_maker *m)
{
    struct str parts[TYPE_PARTS];
    struct profile *p = m->p;
    profile_type_split(m->how->type, parts);
    p->time_nanos = m->how->time_ns;
    p->duration_nanos = m->how->duration_ns;
    p->period = flame_profile_period(parts[TYPE_NAME], m->how->period);
    p->period_type.type = symbols_string(p->symbols, parts[TYPE_PERIOD]);
    p->period_type.unit = symbols_string(p->symbols, parts[TYPE_PERIOD_UNIT]);
    if (!profile_add_type(p, parts[TYPE_SAMPLE], parts[TYPE_UNIT]))
        return false;
    for (uint32_t i = 0; i < m->f->node_count; i++)
        if (m->f->nodes[i].self > 0 && !flame_profile_add(m, i))
            return false;
    return true;
}

int flame_profile(const struct flame *f, const struct flame_profile *how, struct symbols *symbols, struct profile *ret,
                  struct err *err)
{
    cleanup_free uint32_t *locations = xcalloc(f->name_count + 1, sizeof *locations);
    struct profile_maker m = {.f = f, .how = how, .p = ret, .locations = locations};
    profile_init(ret, symbols);
    const bool fits = flame_profile_fill(&m);
    free(m.stack);
    return fits ? 0 : err_set(err, -EMSGSIZE, "the profile is too large: choose a shorter time range or fewer nodes");
}
