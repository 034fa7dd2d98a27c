/* Any name by all rules: never longer than it was, and what has been made equal stays so. */
#include <stdint.h>
#include <stdlib.h>

#include "pprof/normalise.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { NAME_MAX_BYTES = 1 << 14 };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct str name = {(const char *)data, size};
    if (size > NAME_MAX_BYTES)
        return 0;
    for (enum name_rules rules = NORMALISE_REFERENCE; rules <= NORMALISE_THREADS; rules++) {
        struct buf out = BUF_INIT(NAME_MAX_BYTES);
        bool changed = normalise(rules, name, &out);
        if (!buf_ok(&out) || out.len > size || (!changed && out.len > 0))
            abort();
        buf_done(&out);
    }
    return 0;
}
