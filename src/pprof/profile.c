#include "pprof/profile.h"

#include <stdlib.h>

#include "base/mem.h"
#include "base/hash.h"

void profile_init(struct profile *p, struct symbols *symbols)
{
    *p = (struct profile){.symbols = symbols};
}

void profile_done(struct profile *p)
{
    free(p->samples);
    free(p->values);
    dense_done(&p->of_stack);
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

static uint32_t new_sample(struct profile *p, uint32_t stack, uint32_t labels)
{
    enum { FIRST_SAMPLES = 64 }; /* room for that many, to begin with */
    const size_t n = p->sample_count++, room = n ? n + 1 : FIRST_SAMPLES;
    xgrow(&p->samples, &p->sample_cap, room, sizeof *p->samples);
    xgrow(&p->values, &p->value_cap, room * p->type_count, sizeof *p->values);
    p->samples[n] = (struct pprof_sample){stack, labels};
    memset(profile_values(p, n), 0, p->type_count * sizeof *p->values);
    return (uint32_t)n;
}

/* Number of the sample, added with zeros where it is new. Most have no labels, and stacks are numbered from 0. */
static uint32_t plain_sample(struct profile *p, uint32_t stack)
{
    uint32_t *const sample = dense_at(&p->of_stack, stack);
    if (*sample == 0)
        *sample = new_sample(p, stack, 0) + 1;
    return *sample - 1;
}

static uint32_t labelled_sample(struct profile *p, uint32_t stack, uint32_t labels)
{
    hashed_reserve(&p->by_sample);
    uint32_t hash = hash_number(stack | (uint64_t)labels << 32);
    struct hashed_slot *slot =
        hashed_find(&p->by_sample, hash, p->samples[item].stack == stack && p->samples[item].labels == labels);
    if (slot->item)
        return slot->item - 1;
    uint32_t n = new_sample(p, stack, labels);
    hashed_add(&p->by_sample, slot, hash, n);
    return n;
}

uint32_t profile_sample(struct profile *p, uint32_t stack, uint32_t labels)
{
    return labels ? labelled_sample(p, stack, labels) : plain_sample(p, stack);
}
