/* Events that look like samples and are of no type that a conversion knows: those of other profilers, so that nobody
 * takes their recordings for empty.
 *
 * Datadog's fork of async-profiler has types of its own, of which events.h has those that are profiles.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "jfr/metadata.h"

/* Types and their names are anybody's: no more are told apart, and no longer names. */
enum { LEFT_OUT_TYPES_MAX = 8, LEFT_OUT_NAME_MAX = 64 };

struct left_out {
    struct left_out_type {
        char name[LEFT_OUT_NAME_MAX]; /* the type's */
        uint64_t events;
    } types[LEFT_OUT_TYPES_MAX];
    size_t count;
};

/* Such types of one chunk, which the walk over its events counts as it meets them: a walk of its own would cost half as
 * much again. */
struct left_out_chunk {
    const struct jfr_type *types[LEFT_OUT_TYPES_MAX]; /* borrowed */
    uint64_t ids[LEFT_OUT_TYPES_MAX];
    uint64_t mask; /* bits of the ids modulo 64, by which nearly all others are told */
    uint64_t events[LEFT_OUT_TYPES_MAX];
    size_t count;
};
void left_out_find(struct left_out_chunk *c, const struct jfr_metadata *m);
/* An event of one of them. */
void left_out_count(struct left_out_chunk *c, uint64_t type);
/* The chunk was added. */
void left_out_add(struct left_out *l, const struct left_out_chunk *c);
/* The types of chunks that came later. */
void left_out_join(struct left_out *l, const struct left_out *later);
