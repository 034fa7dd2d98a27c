#include "pprof/conversion.h"

/* Sample types and the period's; false where symbols are full. */
static bool conversion_name_types(struct conversion *c, enum profile_kind kind, struct profile *p)
{
    const struct profile_kind_def *def = &profile_kinds[kind];
    const bool compat = c->options.compat;
    for (size_t i = 0; i < (kind == KIND_LIVE && compat ? 1 : 2) && def->types[i][0]; i++) {
        if (!profile_add_type(p, str_of(def->types[i][0]), str_of(def->types[i][1])))
            return false;
    }
    if (kind == KIND_MALLOC && compat)
        return true;
    p->period_type.type = symbols_string(&c->symbols, str_of(def->period[0]));
    p->period_type.unit = symbols_string(&c->symbols, str_of(def->period[1]));
    return p->period_type.type != SYMBOLS_FULL && p->period_type.unit != SYMBOLS_FULL;
}

void covered_time_extend(struct covered_time *s, struct covered_time by)
{
    if (by.from == 0 && by.until == 0)
        return;
    const bool none = s->from == 0 && s->until == 0;
    s->from = none || by.from < s->from ? by.from : s->from;
    s->until = none || by.until > s->until ? by.until : s->until;
}

struct covered_time conversion_span_of(const struct conversion *c, enum profile_kind kind)
{
    /* What is not freed was allocated. */
    if (kind == KIND_MALLOC_LIVE)
        kind = KIND_MALLOC;
    struct covered_time span = c->so_far[kind].span;
    if (c->samples[kind] != c->so_far[kind].samples_before)
        covered_time_extend(&span, c->recording);
    return span;
}

int64_t conversion_period(const struct conversion *c, enum profile_kind kind)
{
    const struct recorded_settings *s = &c->settings;
    if (c->options.compat)
        return 0;
    switch (kind) {
    case KIND_CPU:
        return s->sample_ns;
    case KIND_COUNTER:
        return s->cpu_ns;
    case KIND_WALL:
        return settings_wall_weight(s);
    case KIND_NATIVE_METHOD:
        return s->native_method_ns;
    case KIND_TLAB_IN:
    case KIND_TLAB_OUT:
        return s->alloc_bytes;
    case KIND_MALLOC:
    case KIND_MALLOC_LIVE:
        return s->malloc_bytes;
    case KIND_ALLOC: /* the JDK throttles by rate */
        return 0;
    default:
        return 1;
    }
}

void conversion_end_recording(struct conversion *c)
{
    for (size_t k = 0; k < KIND_COUNT; k++) {
        c->so_far[k].span = conversion_span_of(c, (enum profile_kind)k);
        c->so_far[k].samples_before = c->samples[k];
    }
    c->recording = (struct covered_time){0};
    settings_copy(&c->settings, &c->initial);
}

bool conversion_begin(struct conversion *c, enum profile_kind kind)
{
    struct profile p;
    profile_init(&p, &c->symbols);
    if (!conversion_name_types(c, kind, &p))
        return false;
    profile_bound(&p, &c->samples_left, c->limits->output);
    c->profiles[kind] = p;
    return true;
}
