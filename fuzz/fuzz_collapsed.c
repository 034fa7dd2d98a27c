/* Collapsed stacks of any bytes: refused, or kept in such a way that what is written of them can be read again. */
#include <stdint.h>
#include <stdlib.h>

#include "base/cleanup.h"
#include "pprof/collapsed.h"
#include "pprof/text.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { MAX = 64 << 20 };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    cleanup_symbols struct symbols symbols, symbols_again;
    cleanup_profile struct profile p, again;
    cleanup_buf struct buf text = BUF_INIT(MAX);
    symbols_init(&symbols, MAX);
    symbols_init(&symbols_again, MAX);
    profile_init(&p, &symbols);
    profile_init(&again, &symbols_again);
    if (collapsed_decode((struct str){(const char *)data, size}, &symbols, &p, NULL) < 0)
        return 0;
    pprof_text(&p, PPROF_TEXT_COLLAPSED, &text);
    if (!buf_ok(&text) || text.len == 0 || memchr(text.p, '#', text.len))
        return 0; /* a comment, where it begins a line */
    if (collapsed_decode(buf_slice(&text), &symbols_again, &again, NULL) < 0)
        abort();
    return 0;
}
