/* One finished chunk of a recording, shared by its readers: bytes and metadata.
 *
 * Reference counted, from any thread; the last reference frees it. The creator fills it in; it is immutable once it has
 * been shared.
 */
#pragma once

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct jfr_chunk {
    atomic_uint refs;
    uint8_t *bytes; /* header included; NULL = none, then it is the end of an interval and nothing else */
    size_t len;
    int64_t start_ns, end_ns; /* wall clock, as the header claims; end >= start */
    double itimer_scale;      /* what a sample of `itimer` counts, in samples; 1 unless set */
    bool last_of_interval;    /* the interval ends with it */
};

/* Takes the bytes, which free() gives back. One reference. */
struct jfr_chunk *jfr_chunk_new(uint8_t *bytes, size_t len);
struct jfr_chunk *jfr_chunk_ref(struct jfr_chunk *c);
void jfr_chunk_unref(struct jfr_chunk *c); /* NULL is fine */
