#include "jfr/shared_chunk.h"

#include <stdlib.h>

#include "base/mem.h"

struct jfr_chunk *jfr_chunk_new(uint8_t *bytes, size_t len)
{
    struct jfr_chunk *c = xcalloc(1, sizeof *c);
    atomic_init(&c->refs, 1);
    c->bytes = bytes;
    c->len = len;
    c->itimer_scale = 1;
    return c;
}

struct jfr_chunk *jfr_chunk_ref(struct jfr_chunk *c)
{
    atomic_fetch_add_explicit(&c->refs, 1, memory_order_relaxed);
    return c;
}

void jfr_chunk_unref(struct jfr_chunk *c)
{
    if (!c || atomic_fetch_sub_explicit(&c->refs, 1, memory_order_acq_rel) > 1)
        return;
    free(c->bytes);
    free(c);
}
