/* The constant pools of a chunk: what the ids in events and in other pools mean.
 *
 * Every checkpoint of the chunk is walked once, from the one the header names along their chain. Pools that were asked
 * for are indexed, key to position, and their values stay undecoded until somebody looks one up; all others are
 * stepped over. So memory is 24 to 48 bytes per entry of the pools asked for, and only what samples refer to is ever
 * decoded. Where a key comes more than once, the entry read last counts: that of the oldest checkpoint.
 * Sources: jdk.jfr.internal.consumer.ChunkParser; spec jfr-asprof §1.5.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "base/hash.h"
#include "jfr/chunk.h"
#include "jfr/plan.h"

struct jfr_entry {
    uint64_t key;
    uint32_t at;   /* of the value in the chunk */
    uint32_t memo; /* for whoever looks entries up; 0 at first */
};

/* One pool that is wanted. The caller sets type, fields and max, reading fills the rest. */
struct jfr_pool {
    const char *type;
    size_t max;                    /* entries that are kept, the first ones; 0 = a million */
    const char *fields[JFR_SLOTS]; /* slot i keeps fields[i]; NULL-terminated unless full */
    const struct jfr_type *of;     /* NULL when the chunk does not know the type */
    struct jfr_plan plan;          /* empty while there are no entries */
    struct jfr_entry *entries;     /* owned; in the order read, those with a key that came again included */
    size_t len, cap;
    size_t left_out; /* entries beyond max */
    /* Numbers of entries + 1, 0 = none: by key where keys are dense (`direct` of them), else by hash: the high bits
     * of it, `shift` are left out. */
    uint32_t *index; /* owned */
    uint64_t direct, slots;
    unsigned shift;
    uint64_t key_max;
};

/* Fills `pools`. -EBADMSG when a pool or the chain is damaged, -E2BIG for absurd sizes, -ENOMEM. To be done() in any
 * case. */
must_check int jfr_pools_read(const uint8_t *chunk, const struct jfr_header *header, const struct jfr_metadata *m,
                              struct arena *arena, struct jfr_pool *pools, size_t count, struct err *err);
void jfr_pools_done(struct jfr_pool *pools, size_t count);

/* NULL when the pool has no such key. */
static inline struct jfr_entry *jfr_pool_find(const struct jfr_pool *pool, uint64_t key)
{
    if (pool->slots == 0) {
        uint32_t item = key < pool->direct ? pool->index[key] : 0;
        return item ? &pool->entries[item - 1] : NULL;
    }
    for (uint64_t i = hash_number_high(key) >> pool->shift;; i = (i + 1) & (pool->slots - 1)) {
        uint32_t item = pool->index[i];
        if (item == 0)
            return NULL;
        if (pool->entries[item - 1].key == key)
            return &pool->entries[item - 1];
    }
}
