/* Sets of ids of spans and traces that samples of a slice have, each kept once. Numbers are those of sets + 1; 0 is the
 * empty set, which most samples have.
 */
#pragma once

#include "base/arena.h"
#include "store/block_blob.h"
#include "store/flame_ask.h"

enum { BLOCK_IDS_BYTES_MAX = 16 << 20, BLOCK_IDS_FULL = -1 };

struct block_ids {
    struct str *sets; /* owned; each the numbers of spans and of traces, then 8 or 16 bytes each */
    size_t count, cap;
    struct arena bytes;
    struct strmap known; /* set -> its number, as a pointer */
};
#define BLOCK_IDS_INIT ((struct block_ids){.bytes = ARENA_INIT(BLOCK_IDS_BYTES_MAX)})
void block_ids_done(struct block_ids *s);
#define cleanup_block_ids __attribute__((cleanup(block_ids_done)))

/* BLOCK_IDS_FULL: there is no room. */
int64_t block_ids_add(struct block_ids *s, const struct sample_ids *ids);
/* `number` is not 0, and there is such a set. */
void block_ids_get(const struct block_ids *s, uint32_t number, struct sample_ids *ret);

/* As bytes: their number, then one after the other. Sets that were read are borrowed, and none can be added to them. */
void block_ids_put(const struct block_ids *s, struct buf *out);
must_check bool block_ids_read(struct cursor *c, struct block_ids *s);
