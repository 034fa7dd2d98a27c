#include "store/block_cache.h"

#include <stdlib.h>

#include "base/mem.h"
#include "test.h"

static struct block_cache_key key(uint64_t n)
{
    return (struct block_cache_key){n, ~n};
}

static void answers_are_found_by_their_key(void)
{
    struct block_cache *c = block_cache_new(1 << 20);
    CHECK(!block_cache_get(c, key(1)).p);
    block_cache_put(c, key(1), STR("one"));
    block_cache_put(c, key(2), STR(""));
    block_cache_put(c, key(1), STR("another"));
    CHECK(str_eq(block_cache_get(c, key(1)), STR("one")));
    CHECK(block_cache_get(c, key(2)).p != NULL);
    CHECK(!block_cache_get(c, key(3)).p);
    CHECK_INT(block_cache_look(c).hits, 2);
    CHECK_INT(block_cache_look(c).misses, 2);
    block_cache_free(c);
}

static void what_was_not_asked_for_longest_goes_first(void)
{
    enum { SIZE = 1000, MAX = 10 * SIZE };
    char *bytes = xcalloc(1, SIZE);
    struct block_cache *c = block_cache_new(MAX);
    for (uint64_t i = 0; i < 100; i++) {
        block_cache_put(c, key(i), (struct str){bytes, SIZE});
        CHECK(block_cache_get(c, key(0)).p != NULL);
        CHECK(block_cache_look(c).bytes <= MAX);
    }
    CHECK(block_cache_get(c, key(99)).p != NULL);
    CHECK(!block_cache_get(c, key(50)).p);
    block_cache_free(c);
    free(bytes);
}

static void a_large_one_is_not_kept(void)
{
    enum { SIZE = 1000 };
    char *bytes = xcalloc(1, SIZE);
    struct block_cache *c = block_cache_new(2 * SIZE), *none = block_cache_new(0);
    block_cache_put(c, key(1), (struct str){bytes, SIZE});
    block_cache_put(none, key(1), STR("x"));
    CHECK(!block_cache_get(c, key(1)).p);
    CHECK(!block_cache_get(none, key(1)).p);
    CHECK_INT(block_cache_look(c).bytes, 0);
    block_cache_free(c);
    block_cache_free(none);
    block_cache_free(NULL);
    free(bytes);
}

int main(void)
{
    RUN(answers_are_found_by_their_key);
    RUN(what_was_not_asked_for_longest_goes_first);
    RUN(a_large_one_is_not_kept);
    return REPORT();
}
