/* A profile of any bytes: refused, or kept in such a way that writing and reading it again changes nothing. */
#include <stdint.h>
#include <stdlib.h>

#include "base/cleanup.h"
#include "pprof/decode.h"
#include "pprof/encode.h"
#include "pprof/text.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { INPUT_MAX = 1 << 20, OUTPUT_MAX = 64 << 20 };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    cleanup_symbols struct symbols symbols, symbols_again;
    cleanup_profile struct profile p, again;
    cleanup_buf struct buf bytes = BUF_INIT(OUTPUT_MAX), text = BUF_INIT(OUTPUT_MAX), text_again = BUF_INIT(OUTPUT_MAX);
    symbols_init(&symbols, OUTPUT_MAX);
    symbols_init(&symbols_again, OUTPUT_MAX);
    profile_init(&p, &symbols);
    profile_init(&again, &symbols_again);
    if (pprof_decode(data, size, INPUT_MAX, &symbols, &p, NULL) < 0)
        return 0;
    pprof_encode(&p, &bytes);
    if (!buf_ok(&bytes) || pprof_decode(bytes.p, bytes.len, OUTPUT_MAX, &symbols_again, &again, NULL) < 0)
        abort();
    pprof_text(&p, PPROF_TEXT_REFERENCE, &text);
    pprof_text(&again, PPROF_TEXT_REFERENCE, &text_again);
    if (!str_eq(buf_slice(&text), buf_slice(&text_again)) || p.period != again.period ||
        p.time_nanos != again.time_nanos || p.duration_nanos != again.duration_nanos)
        abort();
    return 0;
}
