#include "pprof/profile.h"

#include <stdlib.h>

#include "base/mem.h"
#include "jfr/hash.h"

void profile_init(struct profile *p, struct symbols *symbols)
{
    *p = (struct profile){.symbols = symbols};
}

void profile_done(struct profile *p)
{
    free(p->samples);
    free(p->values);
    hashed_done(&p->by_sample);
    *p = (struct profile){0};
}

bool profile_add_type(struct profile *p, struct str type, struct str unit)
{
    struct pprof_value_type t = {symbols_string(p->symbols, type), symbols_string(p->symbols, unit)};
    if (p->type_count == PROFILE_TYPES_MAX || t.type == SYMBOLS_FULL || t.unit == SYMBOLS_FULL)
        return false;
    p->types[p->type_count++] = t;
    return true;
}

/* Number of the sample, added with zeros where it is new. */
static size_t sample_of(struct profile *p, uint32_t stack, uint32_t labels)
{
    hashed_reserve(&p->by_sample);
    uint32_t hash = jfr_hash(stack | (uint64_t)labels << 32);
    struct hashed_slot *slot =
        hashed_find(&p->by_sample, hash, p->samples[item].stack == stack && p->samples[item].labels == labels);
    if (slot->item)
        return slot->item - 1;
    size_t n = p->sample_count++;
    xgrow(&p->samples, &p->sample_cap, n + 1, sizeof *p->samples);
    xgrow(&p->values, &p->value_cap, (n + 1) * p->type_count, sizeof *p->values);
    p->samples[n] = (struct pprof_sample){stack, labels};
    memset(profile_values(p, n), 0, p->type_count * sizeof *p->values);
    hashed_add(&p->by_sample, slot, hash, (uint32_t)n);
    return n;
}

bool profile_add(struct profile *p, uint32_t stack, uint32_t labels, const int64_t *values)
{
    if (stack == SYMBOLS_FULL || labels == SYMBOLS_FULL)
        return false;
    int64_t *sum = profile_values(p, sample_of(p, stack, labels));
    /* Wraps instead of overflowing: only made-up values get there, and what was added can be taken back exactly. */
    for (size_t i = 0; i < p->type_count; i++)
        sum[i] = (int64_t)((uint64_t)sum[i] + (uint64_t)values[i]);
    return true;
}
