#define XXH_INLINE_ALL
#include "store/splits.h"

#include <errno.h>
#include <stdlib.h>
#include <xxhash.h>

#include "base/hash.h"
#include "base/mem.h"
#include "store/labels_key.h"

bool splits_counts(const int64_t *values, size_t n)
{
    bool any = false;
    for (size_t i = 0; i < n; i++) {
        if (values[i] < 0)
            return false;
        any = any || values[i];
    }
    return any;
}

/* Stored on disk: XXH3 itself, whose results never change, and not str_hash(), which is another in each process. */
static uint64_t splits_stored_hash(struct str s)
{
    return XXH3_64bits(s.n ? s.p : "", s.n);
}

static uint64_t splits_pair_hash(const struct symbols *symbols, uint64_t pair)
{
    return splits_stored_hash(symbols->strings[pair >> 32]) * 31 +
           splits_stored_hash(symbols->strings[(uint32_t)pair]) * UINT64_C(0x9e3779b97f4a7c15);
}

static int splits_by_number(const void *a, const void *b)
{
    uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;
    return (x > y) - (x < y);
}

/* Puts the labels that count behind the pairs there are; how many, or -ENOMEM. */
static int splits_gather(struct splits *s, uint32_t label_set)
{
    const struct pprof_labels *set = &s->symbols->label_sets[label_set];
    uint32_t n = 0;
    if (!mem_grow(&s->pairs, &s->pair_cap, s->pair_count + set->count + 1, sizeof *s->pairs))
        return -ENOMEM;
    uint64_t *pairs = s->pairs + s->pair_count;
    for (uint32_t i = 0; i < set->count; i++) {
        if (label_splits(s->symbols, &set->labels[i]))
            pairs[n++] = (uint64_t)set->labels[i].key << 32 | set->labels[i].str;
    }
    qsort(pairs, n, sizeof *pairs, splits_by_number);
    return (int)n;
}

static bool splits_same_pairs(const struct splits *s, uint32_t item, const uint64_t *pairs, uint32_t count)
{
    const struct split_labels *i = &s->items[item];
    return i->count == count && (count == 0 || memcmp(&s->pairs[i->first], pairs, count * sizeof *pairs) == 0);
}

/* The hash, or the next number behind it that no other labels have. */
static int64_t splits_free_number(struct splits *s, uint32_t count)
{
    uint64_t hash = 0;
    for (uint32_t i = 0; i < count; i++)
        hash += splits_pair_hash(s->symbols, s->pairs[s->pair_count + i]);
    bool added;
    uint64_t behind = *u64map_add(&s->taken, hash, 0, &added);
    if (added)
        return (int64_t)hash;
    do
        (void)u64map_add(&s->taken, hash + ++behind, 0, &added);
    while (!added);
    u64map_put(&s->taken, hash, behind); /* the next one goes on from here */
    return (int64_t)(hash + behind);
}

static int splits_new_item(struct splits *s, uint32_t label_set, uint32_t count)
{
    if (s->len == SPLITS_MAX)
        return -E2BIG;
    if (!mem_grow(&s->items, &s->cap, s->len + 1, sizeof *s->items))
        return -ENOMEM;
    s->items[s->len] = (struct split_labels){splits_free_number(s, count), label_set, (uint32_t)s->pair_count, count};
    s->pair_count += count;
    return (int)s->len++;
}

static int splits_item_of_pairs(struct splits *s, uint32_t label_set, uint32_t count)
{
    const uint64_t *pairs = s->pairs + s->pair_count;
    if (!hash_index_reserve(&s->by_pairs))
        return -ENOMEM;
    const uint32_t hash = (uint32_t)hash_bytes(pairs, count * sizeof *pairs);
    struct hash_index_slot *slot = hash_index_find(&s->by_pairs, hash, splits_same_pairs(s, item, pairs, count));
    if (slot->item)
        return (int)slot->item - 1;
    int item = splits_new_item(s, label_set, count);
    if (item >= 0)
        hash_index_add(&s->by_pairs, slot, hash, (uint32_t)item);
    return item;
}

int splits_of(struct splits *s, uint32_t label_set, size_t *item)
{
    uint64_t known;
    if (u64map_get(&s->of_set, label_set, &known)) {
        *item = known;
        return 0;
    }
    int code = splits_gather(s, label_set);
    if (code >= 0)
        code = splits_item_of_pairs(s, label_set, (uint32_t)code);
    if (code < 0)
        return code;
    u64map_put(&s->of_set, label_set, (uint64_t)code);
    *item = (size_t)code;
    return 0;
}

void splits_done(struct splits *s)
{
    free(s->items);
    free(s->pairs);
    u64map_done(&s->of_set);
    u64map_done(&s->taken);
    hash_index_done(&s->by_pairs);
    *s = SPLITS_INIT(s->symbols);
}
