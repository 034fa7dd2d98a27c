#include "pprof/profile.h"

#include <stdlib.h>

#include "base/hash.h"
#include "base/mem.h"

void profile_init(struct profile *p, struct symbols *symbols)
{
    *p = (struct profile){.symbols = symbols, .bytes_left = SIZE_MAX};
}

void profile_done(struct profile *p)
{
    free(p->samples);
    free(p->values);
    free(p->comments);
    id_map_done(&p->of_stack);
    hash_index_done(&p->by_sample);
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

bool profile_add_comment(struct profile *p, uint32_t string)
{
    enum { COMMENTS_MAX = 1024 };
    for (size_t i = 0; i < p->comment_count; i++) {
        if (p->comments[i] == string)
            return true;
    }
    if (p->comment_count == COMMENTS_MAX) /* of many profiles, each with its own */
        return true;
    if (string == SYMBOLS_FULL || !mem_grow(&p->comments, &p->comment_cap, p->comment_count + 1, sizeof *p->comments))
        return false;
    p->comments[p->comment_count++] = string;
    return true;
}

void profile_bound(struct profile *p, size_t *samples_left, size_t bytes)
{
    p->samples_left = samples_left;
    p->bytes_left = bytes;
}

/* What it takes in the end: locations are numbered as they are used, so that none has a larger number than there are
 * now. */
static size_t profile_encoded_size(const struct profile *p, uint32_t stack, uint32_t labels)
{
    enum { SAMPLE = 10, VALUE = 10, LABEL = 12, TWO_BYTES = 1 << 14 };
    const struct symbols *s = p->symbols;
    const size_t frame = s->location_count < TWO_BYTES ? 2 : 3;
    return SAMPLE + VALUE * p->type_count + frame * s->stacks[stack].count +
           LABEL * (size_t)s->label_sets[labels].count;
}

static uint32_t profile_new_sample(struct profile *p, uint32_t stack, uint32_t labels)
{
    enum { FIRST_SAMPLES = 64 }; /* room for that many, to begin with */
    const size_t n = p->sample_count, room = n ? n + 1 : FIRST_SAMPLES;
    const size_t bytes = p->samples_left ? profile_encoded_size(p, stack, labels) : 0;
    if (bytes > p->bytes_left || (p->samples_left && *p->samples_left == 0) || n == SYMBOLS_FULL ||
        !mem_grow(&p->samples, &p->sample_cap, room, sizeof *p->samples) ||
        !mem_grow(&p->values, &p->value_cap, room * p->type_count, sizeof *p->values))
        return SYMBOLS_FULL;
    p->bytes_left -= bytes;
    if (p->samples_left)
        *p->samples_left -= 1;
    p->samples[n] = (struct pprof_sample){stack, labels};
    memset(profile_values(p, n), 0, p->type_count * sizeof *p->values);
    p->sample_count++;
    return (uint32_t)n;
}

/* Number of the sample, added with zeros where it is new. Most have no labels, and stacks are numbered from 0. */
static uint32_t profile_plain_sample(struct profile *p, uint32_t stack)
{
    uint32_t *const sample = id_map_at(&p->of_stack, stack);
    if (!sample)
        return SYMBOLS_FULL;
    if (*sample == 0)
        *sample = profile_new_sample(p, stack, 0) + 1; /* 0 again for SYMBOLS_FULL */
    return *sample - 1;
}

static uint32_t profile_labelled_sample(struct profile *p, uint32_t stack, uint32_t labels)
{
    if (!hash_index_reserve(&p->by_sample))
        return SYMBOLS_FULL;
    uint32_t hash = hash_number(stack | (uint64_t)labels << 32);
    struct hash_index_slot *slot =
        hash_index_find(&p->by_sample, hash, p->samples[item].stack == stack && p->samples[item].labels == labels);
    if (slot->item)
        return slot->item - 1;
    uint32_t n = profile_new_sample(p, stack, labels);
    if (n != SYMBOLS_FULL)
        hash_index_add(&p->by_sample, slot, hash, n);
    return n;
}

uint32_t profile_sample(struct profile *p, uint32_t stack, uint32_t labels)
{
    if (stack >= p->symbols->stack_count || labels >= p->symbols->label_set_count)
        return SYMBOLS_FULL;
    return labels ? profile_labelled_sample(p, stack, labels) : profile_plain_sample(p, stack);
}
