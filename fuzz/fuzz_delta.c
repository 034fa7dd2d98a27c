/* Two profiles, one after the other: what changed is a profile that can be taken itself. */
#include <stdlib.h>

#include "pprof/delta.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
    static const char *const types[] = {"alloc_objects", "alloc_space", "contentions", "delay", NULL};
    struct pprof_delta *d = pprof_delta_new(types);
    struct err err;
    bool any = false;
    cleanup_buf struct buf out = BUF_INIT(1 << 22);
    const struct str first = {(const char *)data, n / 2}, second = {(const char *)data + n / 2, n - n / 2};
    for (int i = 0; i < 4; i++)
        if (pprof_delta_take(d, i % 2 ? second : first, &out, &any, &err) == 0 && any && i == 0)
            abort();
    pprof_delta_free(d);
    /* The whole before nothing: it comes out as it was, and once more as nothing. */
    d = pprof_delta_new(types);
    buf_reset(&out);
    if (pprof_delta_take(d, (struct str){(const char *)data, n}, &out, &any, &err) == 0 &&
        pprof_delta_take(d, (struct str){(const char *)data, n}, &out, &any, &err) == 0 && any) {
        cleanup_buf struct buf again = BUF_INIT(1 << 22);
        struct pprof_delta *other = pprof_delta_new(types);
        if (pprof_delta_take(other, buf_slice(&out), &again, &any, &err) < 0)
            abort();
        pprof_delta_free(other);
    }
    pprof_delta_free(d);
    return 0;
}
