/* A map from small dense keys to numbers: an array that grows with zeros, 0 = nothing yet. One owner, to be done(). */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct dense {
    uint32_t *of; /* owned */
    size_t cap;
};
#define DENSE_INIT ((struct dense){0})

/* False where there is no memory. */
bool dense_grow(struct dense *d, size_t key);
void dense_done(struct dense *d);

/* Where the key's number is; valid until another key is asked for. Memory is that of the largest key; NULL where there is none. */
static inline uint32_t *dense_at(struct dense *d, size_t key)
{
    return key < d->cap || dense_grow(d, key) ? &d->of[key] : NULL;
}

static inline uint32_t dense_get(const struct dense *d, size_t key)
{
    return key < d->cap ? d->of[key] : 0;
}
