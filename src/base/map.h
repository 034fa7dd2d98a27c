/* Two open-addressing hash maps: u64 -> u64, and borrowed string -> pointer. The first has no deletion, because its
 * users only insert and look up. Iteration order: insertion order for strmap, unspecified for u64map. Not thread safe.
 * Small growth aborts when out of memory; callers limit the number of untrusted keys.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/str.h"

struct u64map {
    struct u64map_slot *slots;
    size_t len, cap; /* cap is a power of two or 0 */
};
#define U64MAP_INIT ((struct u64map){0})

/* Makes room for `want` keys in all. */
void u64map_expect(struct u64map *m, size_t want);
/* Sets key to value, replacing. */
void u64map_put(struct u64map *m, uint64_t key, uint64_t value);
/* Adds key -> value unless the key is there; returns where its value lives until the next put or add. */
uint64_t *u64map_add(struct u64map *m, uint64_t key, uint64_t value, bool *added);
bool u64map_get(const struct u64map *m, uint64_t key, uint64_t *ret);
/* The keys that have this value, in no order; `ret` has room for m->len. Returns how many. */
size_t u64map_keys(const struct u64map *m, uint64_t value, uint64_t *ret);
void u64map_done(struct u64map *m);
#define cleanup_u64map __attribute__((cleanup(u64map_done)))

struct strmap_entry {
    struct str key; /* borrowed; owner: whoever put it; p == NULL marks a deleted entry to skip when iterating */
    void *value;
};
struct strmap {
    struct strmap_entry *entries; /* insertion order; `used` of them, deleted ones included */
    uint32_t *index;
    size_t len, used, cap, index_cap;
};
#define STRMAP_INIT ((struct strmap){0})

/* Sets key to value; an existing key keeps its first slice. Returns the previous value or NULL. */
void *strmap_put(struct strmap *m, struct str key, void *value);
void *strmap_get(const struct strmap *m, struct str key);
bool strmap_has(const struct strmap *m, struct str key);
/* Returns the removed value or NULL. */
void *strmap_del(struct strmap *m, struct str key);
void strmap_done(struct strmap *m);
#define cleanup_strmap __attribute__((cleanup(strmap_done)))
#define strmap_each(m, e)                                                                                              \
    for (struct strmap_entry *e = (m)->entries; e && e < (m)->entries + (m)->used; e++)                                \
        if (e->key.p)
