/* A chunk of any bytes through the whole conversion: refused without a trace, or profiles that can be read again. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "jfr/chunk.h"
#include "pprof/decode.h"
#include "pprof/from_jfr.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { SIZE_AT = 8, SIZE_BYTES = 8, PROFILE_MAX = 64 << 20 };

static void read_again(const struct pprof_result *r)
{
    struct symbols symbols;
    struct profile p;
    symbols_init(&symbols, PROFILE_MAX);
    if (r->samples == 0 || pprof_decode(r->bytes, r->len, PROFILE_MAX, &symbols, &p, NULL) < 0)
        abort();
    profile_done(&p);
    symbols_done(&symbols);
}

static void convert(const uint8_t *chunk, size_t size, bool compat)
{
    struct conversion_options options = {
        .event = "wall", .cpu_ns = 10, .wall_ns = 20, .per_thread = !compat, .compat = compat, .mark_truncated = true};
    struct conversion *c = conversion_new(&options);
    struct pprof_result *results;
    size_t n;
    int code = conversion_add(c, chunk, size, NULL);
    if (conversion_finish(c, &results, &n, NULL) < 0 || (code < 0 && n > 0))
        abort();
    for (size_t i = 0; i < n; i++)
        read_again(&results[i]);
    conversion_settings(c, &options);
    conversion_free(c);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size < JFR_HEADER_SIZE)
        return 0;
    /* Nearly every change of the length would end at the header's size field: that one is set right. */
    uint8_t *chunk = malloc(size);
    if (!chunk)
        return 0;
    memcpy(chunk, data, size);
    for (unsigned i = 0; i < SIZE_BYTES; i++)
        chunk[SIZE_AT + i] = (uint8_t)(size >> (8 * (SIZE_BYTES - 1 - i)));
    convert(chunk, size, false);
    convert(chunk, size, true);
    free(chunk);
    return 0;
}
