#include "pprof/hashed.h"

#include <stdlib.h>

#include "base/mem.h"

/* Small ones grow in few steps: each puts every item into a new place. */
enum { FIRST_CAP = 64, SMALL = 4096 };

void hashed_reserve(struct hashed *h)
{
    if (h->len * 4 < h->cap * 3)
        return;
    size_t cap = h->cap ? h->cap * (h->cap < SMALL ? 4 : 2) : FIRST_CAP;
    struct hashed_slot *slots = xcalloc(cap, sizeof *slots);
    for (size_t i = 0; i < h->cap; i++) {
        if (h->slots[i].item == 0)
            continue;
        size_t j = h->slots[i].hash & (cap - 1);
        while (slots[j].item != 0)
            j = (j + 1) & (cap - 1);
        slots[j] = h->slots[i];
    }
    free(h->slots);
    h->slots = slots;
    h->cap = cap;
}

void hashed_done(struct hashed *h)
{
    free(h->slots);
    *h = (struct hashed){0};
}
