/* Trees of blocks as they were answered, so that a page that asks again merges a block once. What is merged from a
 * block is named by what was asked and by the slices; neither a slice nor a tree ever changes under its number, so
 * nothing has to be removed but for the room: what was not asked for longest goes first.
 *
 * One thread at a time.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "base/str.h"

struct block_cache;

struct block_cache_key {
    uint64_t low, high; /* XXH3-128 of everything that the answer depends on */
};

/* `max`: bytes of answers; 0 = none is kept. */
struct block_cache *block_cache_new(size_t max);
void block_cache_free(struct block_cache *c);
/* Valid until the next call; p == NULL: it is not there. */
struct str block_cache_get(struct block_cache *c, struct block_cache_key key);
/* Copies it, unless it would take most of the room. */
void block_cache_put(struct block_cache *c, struct block_cache_key key, struct str answer);

struct block_cache_view {
    size_t bytes, max;
    uint64_t hits, misses;
};
struct block_cache_view block_cache_look(const struct block_cache *c);
