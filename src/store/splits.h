/* Splits the samples of a profile into series by their string labels; each has a number that is stored with the series'
 * rows.
 *
 * span_id, profile_id, trace_id and numeric labels are ignored; no label at all is number 0. Otherwise the number is a
 * hash of the labels, independent of their order. Hash collisions can be constructed, so labels are compared: later
 * ones take the next free numbers. A body never changes and is always read in the same order, so that a query finds the
 * numbers of the push.
 */
#pragma once

#include "base/map.h"
#include "pprof/profile.h"

/* Maximum per profile. */
enum { SPLITS_MAX = 4096 };

struct split_labels {
    int64_t number;
    uint32_t label_set;    /* the first one with these labels */
    uint32_t first, count; /* private: of `pairs` */
};
struct splits {
    const struct symbols *symbols; /* borrowed */
    struct split_labels *items;    /* owned; in order of appearance */
    size_t len, cap;
    /* Private from here. */
    struct u64map of_set; /* label set -> item */
    struct u64map taken;  /* number -> count of taken numbers after it */
    struct hash_index by_pairs;
    uint64_t *pairs; /* key and value of all items, sorted within an item */
    size_t pair_count, pair_cap;
};
#define SPLITS_INIT(symbols_) ((struct splits){.symbols = (symbols_)})

/* The split of a label set. To be called in sample order, for samples accepted by splits_counts(). -E2BIG beyond
 * SPLITS_MAX, -ENOMEM. */
must_check int splits_of(struct splits *s, uint32_t label_set, size_t *item);
void splits_done(struct splits *s);
#define cleanup_splits __attribute__((cleanup(splits_done)))

/* Whether a sample counts: no negative value and at least one that is not zero. */
bool splits_counts(const int64_t *values, size_t n);
