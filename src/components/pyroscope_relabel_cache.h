/* Results of the rules per label set: a JVM sends the same few label sets at every interval.
 *
 * Holds at most `max` results; the least recently used one is evicted. Keys are compared by their labels, not only by
 * their hashes. Loop thread.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "base/list.h"
#include "flow/labels.h"

struct relabel_result {
    struct list used; /* the longest unused first */
    struct relabel_result *next;
    uint64_t hash;
    struct labels *in, *out; /* out == NULL: dropped */
};

struct relabel_cache {
    struct relabel_result **slots;
    size_t slot_count, len, max;
    struct list used;
};

/* max > 0. */
void relabel_cache_init(struct relabel_cache *c, size_t max);
/* True: *ret is the result, borrowed; NULL means dropped. */
bool relabel_cache_find(struct relabel_cache *c, const struct labels *in, const struct labels **ret);
/* For a set that was not found. Takes references. */
void relabel_cache_add(struct relabel_cache *c, const struct labels *in, const struct labels *out);
/* max > 0; what is too much goes. */
void relabel_cache_resize(struct relabel_cache *c, size_t max);
/* The rules are others. */
void relabel_cache_purge(struct relabel_cache *c);
void relabel_cache_done(struct relabel_cache *c);
