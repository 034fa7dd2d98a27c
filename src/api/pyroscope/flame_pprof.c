#include "api/pyroscope/flame_pprof.h"

#include <errno.h>
#include <stdlib.h>

#include "api/pyroscope/flame_levels.h"
#include "base/cleanup.h"
#include "base/mem.h"
#include "base/wire.h"
#include "pprof/encode.h"
#include "store/frame_text.h"
#include "store/labels_key.h"

enum {
    PPROF_SYMBOLS_MAX = 192 << 20,
    PERIOD_CPU = 1000000000, /* as Pyroscope guesses */
    PERIOD_MEMORY = 512 << 10,
    FIELD_DEFAULT_SAMPLE_TYPE = 14,
};

struct pprof_maker {
    const struct flame *f;
    const struct flame_levels *levels; /* NULL: all nodes are kept */
    struct symbols symbols;
    struct profile profile;
    uint32_t *locations; /* of each name of the flame + 1; the last one is of "other" */
    uint32_t *stack;     /* of the node at hand, leaf first */
    size_t stack_cap;
};

static uint32_t flame_pprof_location(struct pprof_maker *m, uint32_t name)
{
    if (m->locations[name])
        return m->locations[name] - 1;
    const struct frame_text t =
        name < m->f->name_count ? frame_text_read(m->f->names[name]) : (struct frame_text){.name = STR("other")};
    const struct pprof_function f = {.name = symbols_string(&m->symbols, t.name),
                                     .system_name = symbols_string(&m->symbols, t.system_name),
                                     .filename = symbols_string(&m->symbols, t.filename),
                                     .start_line = t.start_line};
    const uint32_t location = symbols_location(
        &m->symbols, (struct pprof_location){.function = symbols_function(&m->symbols, f), .line = t.line});
    if (location != SYMBOLS_FULL)
        m->locations[name] = location + 1;
    return location;
}

static bool flame_pprof_keeps(const struct pprof_maker *m, uint32_t node)
{
    return node == 0 || !m->levels || flame_levels_keeps(m->levels, node);
}

/* One sample of the stack of a node; a node that is not kept counts for "other" of the first above it that is. */
static bool flame_pprof_add(struct pprof_maker *m, uint32_t node)
{
    const int64_t value = m->f->nodes[node].self;
    size_t n = 0;
    if (!flame_pprof_keeps(m, node)) {
        while (!flame_pprof_keeps(m, node))
            node = m->f->nodes[node].parent;
        xgrow(&m->stack, &m->stack_cap, 1, sizeof *m->stack);
        m->stack[n++] = flame_pprof_location(m, (uint32_t)m->f->name_count);
    }
    for (; node; node = m->f->nodes[node].parent) {
        xgrow(&m->stack, &m->stack_cap, n + 1, sizeof *m->stack);
        m->stack[n++] = flame_pprof_location(m, m->f->nodes[node].name);
    }
    for (size_t i = 0; i < n; i++)
        if (m->stack[i] == SYMBOLS_FULL)
            return false;
    return profile_add(&m->profile, symbols_stack(&m->symbols, m->stack, n), 0, &value);
}

static int64_t flame_pprof_period(struct str name, int64_t period)
{
    return period ? period : str_is(name, "process_cpu") ? PERIOD_CPU : str_is(name, "memory") ? PERIOD_MEMORY : 1;
}

static bool flame_pprof_fill(struct pprof_maker *m, const struct flame_pprof *how)
{
    struct str parts[TYPE_PARTS];
    profile_type_split(how->type, parts);
    m->profile.time_nanos = how->time_ns;
    m->profile.duration_nanos = how->duration_ns;
    m->profile.period = flame_pprof_period(parts[TYPE_NAME], how->period);
    m->profile.period_type.type = symbols_string(&m->symbols, parts[TYPE_PERIOD]);
    m->profile.period_type.unit = symbols_string(&m->symbols, parts[TYPE_PERIOD_UNIT]);
    if (!profile_add_type(&m->profile, parts[TYPE_SAMPLE], parts[TYPE_UNIT]))
        return false;
    for (uint32_t i = 0; i < m->f->node_count; i++)
        if (m->f->nodes[i].self > 0 && !flame_pprof_add(m, i))
            return false;
    return true;
}

static bool flame_pprof_is_empty(const struct flame *f)
{
    for (size_t i = 0; i < f->node_count; i++)
        if (f->nodes[i].self > 0)
            return false;
    return true;
}

int flame_pprof_put(const struct flame *f, const struct flame_pprof *how, struct buf *out, struct err *err)
{
    if (flame_pprof_is_empty(f))
        return 0;
    cleanup_flame_levels struct flame_levels levels = {0};
    struct pprof_maker m = {.f = f, .locations = xcalloc(f->name_count + 1, sizeof *m.locations)};
    if (how->nodes) {
        flame_levels_init(&levels, f, how->nodes);
        m.levels = &levels;
    }
    symbols_init(&m.symbols, PPROF_SYMBOLS_MAX);
    profile_init(&m.profile, &m.symbols);
    const bool fits = flame_pprof_fill(&m, how);
    if (fits) {
        pprof_encode(&m.profile, out);
        /* The first string behind "" is that of the sample type (pprof/encode.h). */
        wire_number(out, FIELD_DEFAULT_SAMPLE_TYPE, m.profile.types[0].type ? 1 : 0);
    }
    profile_done(&m.profile);
    symbols_done(&m.symbols);
    free(m.locations);
    free(m.stack);
    return fits ? 0 : err_set(err, -EMSGSIZE, "the profile is too large: choose a shorter time range or fewer nodes");
}
