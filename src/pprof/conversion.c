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
