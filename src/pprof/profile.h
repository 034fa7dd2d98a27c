/* One profile: values per (stack, labels), summed as they come in.
 *
 * Its strings, functions and stacks live in `symbols`, which it borrows and may share with other profiles. Reading it:
 *
 *     for (size_t i = 0; i < p->sample_count; i++) {
 *         const struct pprof_stack *stack = &p->symbols->stacks[p->samples[i].stack];
 *         const int64_t *values = profile_values(p, i);
 */
#pragma once

#include "base/err.h"
#include "base/id_map.h"
#include "pprof/symbols.h"

enum { PROFILE_TYPES_MAX = 16 };

struct pprof_value_type {
    uint32_t type, unit; /* strings */
};
struct pprof_sample {
    uint32_t stack, labels;
};

struct profile {
    struct symbols *symbols; /* borrowed */
    struct pprof_value_type types[PROFILE_TYPES_MAX];
    size_t type_count;
    struct pprof_value_type period_type; /* {0, 0} = unset */
    int64_t period;
    int64_t time_nanos, duration_nanos;
    /* What others wrote, strings; 0 = unset. The sample type to show first, patterns of frames to drop and to keep, and
     * where to read about it. */
    uint32_t default_type, drop_frames, keep_frames, doc_url;
    uint32_t *comments; /* strings; owned */
    size_t comment_count, comment_cap;
    struct pprof_sample *samples;
    int64_t *values; /* type_count per sample */
    size_t sample_count;
    size_t sample_cap, value_cap; /* private from here */
    /* Samples without labels by stack, number + 1; those with labels by stack and labels. */
    struct id_map of_stack;
    struct hash_index by_sample;
    size_t
        *samples_left; /* how many more may come, of several profiles together; NULL = as many as there is memory for */
    size_t bytes_left; /* about, of samples when encoded */
};

void profile_init(struct profile *p, struct symbols *symbols);
void profile_done(struct profile *p);
#define cleanup_profile __attribute__((cleanup(profile_done)))

/* Adds a sample type; false beyond PROFILE_TYPES_MAX, or where symbols are full. Before the first sample. */
bool profile_add_type(struct profile *p, struct str type, struct str unit);
static inline int64_t *profile_values(const struct profile *p, size_t sample)
{
    return &p->values[sample * p->type_count];
}

/* Adds a comment that is not there yet; false where there is no memory, or it is SYMBOLS_FULL. */
bool profile_add_comment(struct profile *p, uint32_t string);

/* Bounds what samples may come to: more are SYMBOLS_FULL. The number is borrowed. */
void profile_bound(struct profile *p, size_t *samples_left, size_t bytes);

/* The sample of this stack and label set, added with zeros where there is none yet; SYMBOLS_FULL. */
uint32_t profile_sample(struct profile *p, uint32_t stack, uint32_t labels);

/* Adds `values` to the sample of this stack and label set. False where something is SYMBOLS_FULL, or the stack is
 * none. */
static inline bool profile_add(struct profile *p, uint32_t stack, uint32_t labels, const int64_t *values)
{
    uint32_t there = labels == 0 ? id_map_get(&p->of_stack, stack) : 0;
    if (there == 0 && (there = profile_sample(p, stack, labels) + 1) == 0)
        return false;
    int64_t *sum = profile_values(p, there - 1);
    /* Wraps instead of overflowing: only made-up values get there, and what was added can be taken back exactly. */
    for (size_t i = 0; i < p->type_count; i++)
        sum[i] = (int64_t)((uint64_t)sum[i] + (uint64_t)values[i]);
    return true;
}
