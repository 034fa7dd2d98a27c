/* Events that look like samples and are of no type that a conversion knows: those of other profilers, so that nobody
 * takes their recordings for empty.
 *
 * Datadog's fork of async-profiler has types of its own in place of the usual ones ("datadog.ExecutionSample").
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "jfr/chunk.h"
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

/* Counts those of a chunk. Walks it only where it has such types. */
void left_out_count(struct left_out *l, const uint8_t *chunk, const struct jfr_header *header,
                    const struct jfr_metadata *m);
