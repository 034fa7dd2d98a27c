/* An open-addressing index over items that live elsewhere in an array: hash -> item number. The owner compares, so one
 * index serves strings, stacks, label sets and samples alike. Never deletes. Hashes come from base/hash.h, of the
 * content itself, so that foreign bytes cannot be made to collide.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct hash_index_slot {
    uint32_t hash;
    uint32_t item; /* number + 1; 0 = free */
};
struct hash_index {
    struct hash_index_slot *slots; /* owned */
    size_t len, cap;               /* cap is a power of two or 0 */
};

/* Makes room for `want` items in all. */
void hash_index_expect(struct hash_index *h, size_t want);
bool hash_index_grow(struct hash_index *h);
/* Makes room for one more; call before hash_index_find with a view to hash_index_add. False where there is no memory:
 * then neither. */
__attribute__((warn_unused_result)) static inline bool hash_index_reserve(struct hash_index *h)
{
    return h->len * 4 < h->cap * 3 || hash_index_grow(h);
}
void hash_index_done(struct hash_index *h);

/* The slot whose item satisfies `same` (an expression over `uint32_t item`), or the free one where it would go. */
#define hash_index_find(h, hash_, same)                                                                                \
    ({                                                                                                                 \
        const struct hash_index *hf_ = (h);                                                                            \
        const uint32_t hf_hash_ = (hash_);                                                                             \
        size_t hf_i_ = hf_hash_ & (hf_->cap - 1);                                                                      \
        for (; hf_->slots[hf_i_].item != 0; hf_i_ = (hf_i_ + 1) & (hf_->cap - 1)) {                                    \
            if (hf_->slots[hf_i_].hash != hf_hash_)                                                                    \
                continue;                                                                                              \
            const uint32_t item = hf_->slots[hf_i_].item - 1;                                                          \
            if (same)                                                                                                  \
                break;                                                                                                 \
        }                                                                                                              \
        &hf_->slots[hf_i_];                                                                                            \
    })

static inline void hash_index_add(struct hash_index *h, struct hash_index_slot *slot, uint32_t hash, uint32_t item)
{
    *slot = (struct hash_index_slot){.hash = hash, .item = item + 1};
    h->len++;
}
