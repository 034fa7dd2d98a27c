/* A map from small dense keys to numbers: an array that grows with zeros, 0 = nothing yet. One owner, to be done(). */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct id_map {
    uint32_t *of; /* owned */
    size_t cap;
};
#define ID_MAP_INIT ((struct id_map){0})

/* False where there is no memory. */
bool id_map_grow(struct id_map *d, size_t key);
void id_map_done(struct id_map *d);

/* Where the key's number is; valid until another key is asked for. Memory is that of the largest key; NULL where there
 * is none. */
static inline uint32_t *id_map_at(struct id_map *d, size_t key)
{
    return key < d->cap || id_map_grow(d, key) ? &d->of[key] : NULL;
}

static inline uint32_t id_map_get(const struct id_map *d, size_t key)
{
    return key < d->cap ? d->of[key] : 0;
}
