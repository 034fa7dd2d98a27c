#include "pprof/hash_index.h"

#include "base/hash.h"
#include "test.h"

/* Finds or adds: what all its owners do. */
static uint32_t number_of(struct hash_index *h, uint64_t *items, uint32_t *count, uint64_t wanted, uint32_t hash)
{
    if (!hash_index_reserve(h))
        return UINT32_MAX;
    struct hash_index_slot *slot = hash_index_find(h, hash, items[item] == wanted);
    if (slot->item)
        return slot->item - 1;
    items[*count] = wanted;
    hash_index_add(h, slot, hash, *count);
    return (*count)++;
}

static void every_item_is_found_again(void)
{
    enum { ITEMS = 20000 };
    static uint64_t items[ITEMS];
    struct hash_index h = {0};
    uint32_t count = 0;
    for (int round = 0; round < 2; round++) {
        for (uint64_t i = 0; i < ITEMS; i++) {
            if (number_of(&h, items, &count, i * 977, hash_number(i * 977)) != i)
                FAIL_("item %d has another number", (int)i);
        }
    }
    CHECK_INT(count, ITEMS);
    CHECK_INT(h.len, ITEMS);
    CHECK_INT(h.cap & (h.cap - 1), 0);
    CHECK(h.len * 4 <= h.cap * 3);
    hash_index_done(&h);
    CHECK_INT(h.cap, 0);
}

/* The owner compares, so one hash for all makes it slow and not wrong. */
static void equal_hashes_are_told_apart_by_the_owner(void)
{
    enum { ITEMS = 300 };
    uint64_t items[ITEMS];
    struct hash_index h = {0};
    uint32_t count = 0;
    for (int round = 0; round < 2; round++) {
        for (uint64_t i = 0; i < ITEMS; i++)
            CHECK_INT(number_of(&h, items, &count, i, 42), i);
    }
    hash_index_done(&h);
}

static void room_that_is_expected_is_not_made_again(void)
{
    struct hash_index h = {0};
    hash_index_expect(&h, 1000);
    const size_t cap = h.cap;
    uint64_t items[1000];
    uint32_t count = 0;
    for (uint64_t i = 0; i < 1000; i++)
        (void)number_of(&h, items, &count, i, hash_number(i));
    CHECK_INT(h.cap, cap);
    hash_index_expect(&h, 10);
    CHECK_INT(h.cap, cap);
    hash_index_done(&h);
}

int main(void)
{
    RUN(every_item_is_found_again);
    RUN(equal_hashes_are_told_apart_by_the_owner);
    RUN(room_that_is_expected_is_not_made_again);
    return REPORT();
}
