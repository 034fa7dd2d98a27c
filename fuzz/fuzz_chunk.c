/* A recording of any bytes, walked chunk by chunk as a reader does that refuses some of them: it goes forward, ends,
 * and never hands out what is neither a finished chunk nor what was flushed of one. */
#include <stdint.h>
#include <stdlib.h>

#include "jfr/chunk.h"
#include "jfr/chunks.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_chunk(const uint8_t *data, size_t size, struct str chunk)
{
    const uint8_t *p = (const uint8_t *)chunk.p;
    struct jfr_header h;
    if (p < data || chunk.n > size - (size_t)(p - data) || chunk.n < JFR_HEADER_SIZE)
        abort();
    if (jfr_header_framing(p, &h) == JFR_NO_CHUNK || jfr_header_read(p, chunk.n, &h, NULL) < 0 || h.size != chunk.n ||
        h.checkpoint >= h.size || h.metadata >= h.size)
        abort();
    (void)jfr_ticks_to_ns(&h, INT64_MAX);
    (void)jfr_ticks_to_ns(&h, INT64_MIN);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct jfr_chunks it = jfr_chunks_of(data, size);
    struct str chunk;
    struct err err;
    int more;
    /* Twice over the bytes at most, and every step takes one or more. */
    size_t left = 2 * size + 2;
    do {
        more = jfr_chunks_next(&it, &chunk, &err);
        if (more > 0) {
            check_chunk(data, size, chunk);
            if (chunk.n % 2)
                jfr_chunks_refused(&it);
        }
        if (left-- == 0)
            abort();
    } while (more != 0);
    return 0;
}
