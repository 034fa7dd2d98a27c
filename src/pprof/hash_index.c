#include "pprof/hash_index.h"

#include <stdlib.h>

/* Small ones grow in few steps: each puts every item into a new place. */
enum { FIRST_CAP = 64, SMALL = 4096 };

static bool hash_index_move_to(struct hash_index *h, size_t cap)
{
    struct hash_index_slot *slots = calloc(cap, sizeof *slots);
    if (!slots)
        return false;
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
    return true;
}

bool hash_index_grow(struct hash_index *h)
{
    return hash_index_move_to(h, h->cap ? h->cap * (h->cap < SMALL ? 4 : 2) : FIRST_CAP);
}

void hash_index_expect(struct hash_index *h, size_t want)
{
    size_t cap = h->cap ? h->cap : FIRST_CAP;
    while (want * 4 >= cap * 3)
        cap *= 2;
    if (cap > h->cap)
        (void)hash_index_move_to(h, cap);
}

void hash_index_done(struct hash_index *h)
{
    free(h->slots);
    *h = (struct hash_index){0};
}
