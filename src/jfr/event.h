/* The events of a chunk, one after the other, in file order.
 *
 * An event is a size (its own bytes included), a type id and a payload that a plan compiled from metadata reads.
 * Zeros are no event, but behind the metadata they are stepped over: async-profiler leaves a block of them there in
 * every chunk but the first with `jfropts=mem` (to 4.6). Elsewhere they are what a torn write leaves, and what
 * follows might be read out of step. Source: spec jfr-asprof §1.3, §1.10.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "jfr/chunk.h"
#include "jfr/varint.h"

enum { JFR_EVENT_METADATA = 0, JFR_EVENT_CHECKPOINT = 1 };

struct jfr_event {
    uint64_t type;
    const uint8_t *payload, *end;
};

struct jfr_events {
    const uint8_t *chunk, *p, *end;
    const uint8_t *metadata; /* the event that the header names */
};

static inline struct jfr_events jfr_events_of(const uint8_t *chunk, const struct jfr_header *header)
{
    return (struct jfr_events){chunk, chunk + JFR_HEADER_SIZE, chunk + header->size, chunk + header->metadata};
}

/* Near the end of the chunk, and where something is wrong. */
must_check int jfr_events_next_checked(struct jfr_events *it, struct jfr_event *ret, struct err *err);

/* 1 and the next event, 0 at the end of the chunk, -EBADMSG where something cannot be an event. */
must_check static inline int jfr_events_next(struct jfr_events *it, struct jfr_event *ret, struct err *err)
{
    const size_t left = (size_t)(it->end - it->p);
    uint64_t size, type;
    if (left >= 2 * JFR_VARINT_MAX) {
        const uint8_t *p = jfr_varint_unchecked(jfr_varint_unchecked(it->p, &size), &type);
        if (size <= left && (size_t)(p - it->p) <= size) {
            *ret = (struct jfr_event){.type = type, .payload = p, .end = it->p + size};
            it->p += size;
            return 1;
        }
    }
    return jfr_events_next_checked(it, ret, err);
}
