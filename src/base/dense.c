#include "base/dense.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"

bool dense_grow(struct dense *d, size_t key)
{
    enum { FIRST = 64 };
    const size_t before = d->cap;
    if (!mem_grow(&d->of, &d->cap, before || key >= FIRST ? key + 1 : FIRST, sizeof *d->of))
        return false;
    memset(d->of + before, 0, (d->cap - before) * sizeof *d->of);
    return true;
}

void dense_done(struct dense *d)
{
    free(d->of);
    *d = DENSE_INIT;
}
