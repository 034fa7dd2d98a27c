#include "base/id_map.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"

bool id_map_grow(struct id_map *d, size_t key)
{
    enum { FIRST = 64 };
    const size_t before = d->cap;
    if (!mem_grow(&d->of, &d->cap, before || key >= FIRST ? key + 1 : FIRST, sizeof *d->of))
        return false;
    memset(d->of + before, 0, (d->cap - before) * sizeof *d->of);
    return true;
}

void id_map_done(struct id_map *d)
{
    free(d->of);
    *d = ID_MAP_INIT;
}
