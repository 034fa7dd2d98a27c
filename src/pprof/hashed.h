/* An open-addressing index over items that live elsewhere in an array: hash -> item number. The owner compares, so one
 * index serves strings, stacks, label sets and samples alike. Never deletes. Hashes come from base/hash.h, of the
 * content itself, so that foreign bytes cannot be made to collide.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct hashed_slot {
    uint32_t hash;
    uint32_t item; /* number + 1; 0 = free */
};
struct hashed {
    struct hashed_slot *slots; /* owned */
    size_t len, cap;           /* cap is a power of two or 0 */
};

/* Makes room for `want` items in all. */
void hashed_expect(struct hashed *h, size_t want);
bool hashed_grow(struct hashed *h);
/* Makes room for one more; call before hashed_find with a view to hashed_add. False where there is no memory: then neither. */
__attribute__((warn_unused_result)) static inline bool hashed_reserve(struct hashed *h)
{
    return h->len * 4 < h->cap * 3 || hashed_grow(h);
}
void hashed_done(struct hashed *h);

/* The slot whose item satisfies `same` (an expression over `uint32_t item`), or the free one where it would go. */
#define hashed_find(h, hash_, same)                                                                                    \
    ({                                                                                                                 \
        const struct hashed *hf_ = (h);                                                                                \
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

static inline void hashed_add(struct hashed *h, struct hashed_slot *slot, uint32_t hash, uint32_t item)
{
    *slot = (struct hashed_slot){.hash = hash, .item = item + 1};
    h->len++;
}
