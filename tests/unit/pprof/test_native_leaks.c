#include "pprof/native_leaks.h"

#include "test.h"

struct totals {
    uint64_t live;
    int64_t blocks, bytes;
};

static struct totals report(const struct native_leaks *l)
{
    struct symbols symbols;
    symbols_init(&symbols, 1 << 20);
    struct profile p;
    profile_init(&p, &symbols);
    (void)profile_add_type(&p, STR("objects"), STR("count"));
    (void)profile_add_type(&p, STR("bytes"), STR("bytes"));
    const uint32_t stack = symbols_stack(&symbols, NULL, 0);
    CHECK_INT(stack, 0);
    struct totals t = {.live = native_leaks_report(l, &p)};
    if (p.sample_count) {
        t.blocks = profile_values(&p, 0)[0];
        t.bytes = profile_values(&p, 0)[1];
    }
    profile_done(&p);
    symbols_done(&symbols);
    return t;
}

static void take(struct native_leaks *l, uint64_t address, int64_t time, int64_t size)
{
    native_leaks_malloc(l, address, time, 0, 0, size);
}

static void a_block_is_live_when_nothing_younger_freed_it(void)
{
    cleanup_native_leaks struct native_leaks l = {0}, chunk = {0};
    take(&chunk, 100, 5, 1);
    take(&chunk, 100, 9, 2); /* its free of before is lost */
    take(&chunk, 100, 7, 4); /* lies behind the younger one */
    take(&chunk, 200, 5, 8);
    take(&chunk, 300, 5, 16);
    take(&chunk, 0, 5, 32); /* malloc failed */
    native_leaks_free(&chunk, 100, 8);
    native_leaks_free(&chunk, 200, 5);
    native_leaks_free(&chunk, 200, 6);
    native_leaks_free(&chunk, 400, 6);
    native_leaks_settle(&l, &chunk);
    const struct totals t = report(&l);
    CHECK_INT(t.live, 2);
    CHECK_INT(t.blocks, 2);
    CHECK_INT(t.bytes, 2 + 16);
    CHECK(!chunk.blocks && chunk.len == 0);
}

static void chunks_add_up(void)
{
    cleanup_native_leaks struct native_leaks l = {0}, chunk = {0};
    take(&chunk, 100, 1, 1);
    take(&chunk, 200, 1, 2);
    take(&chunk, 300, 1, 4);
    native_leaks_settle(&l, &chunk);
    take(&chunk, 200, 5, 8);
    take(&chunk, 400, 5, 16);
    native_leaks_free(&l, 100, 6);
    native_leaks_free(&chunk, 100, 6);
    native_leaks_free(&l, 200, 4); /* the one before */
    native_leaks_free(&chunk, 200, 4);
    native_leaks_settle(&l, &chunk);
    const struct totals t = report(&l);
    CHECK_INT(t.blocks, 3);
    CHECK_INT(t.bytes, 4 + 8 + 16);
}

/* Blocks come and go for ever: those that are gone make room, and the table stays as large as it has to be. */
static void there_is_room_for_a_number_of_blocks(void)
{
    enum { ROUNDS = 3, BEYOND = 1000 };
    cleanup_native_leaks struct native_leaks l = {0};
    int64_t time = 1;
    for (uint64_t round = 0; round < ROUNDS; round++) {
        const uint64_t first = 1 + round * NATIVE_BLOCKS_MAX * 2;
        for (uint64_t i = 0; i < NATIVE_BLOCKS_MAX + BEYOND; i++)
            take(&l, first + i, time, 1);
        CHECK_INT(l.len, NATIVE_BLOCKS_MAX);
        CHECK_INT(l.cap, 2 * NATIVE_BLOCKS_MAX);
        for (uint64_t i = 0; i < NATIVE_BLOCKS_MAX; i++)
            native_leaks_free(&l, first + i, time + 1);
        CHECK_INT(report(&l).live, 0);
        time += 2;
    }
}

/* Where a block lies in the table depends on the process. */
static void live_blocks_are_reported_in_the_order_of_time(void)
{
    enum { BLOCKS = 100 };
    cleanup_native_leaks struct native_leaks l = {.any_free = true};
    struct symbols symbols;
    symbols_init(&symbols, 1 << 20);
    struct profile p;
    profile_init(&p, &symbols);
    CHECK(profile_add_type(&p, STR("objects"), STR("count")) && profile_add_type(&p, STR("bytes"), STR("bytes")));
    for (uint32_t i = 0; i < BLOCKS; i++) {
        const uint32_t location = symbols_location(&symbols, (struct pprof_location){.line = (int32_t)i});
        const uint32_t stack = symbols_stack(&symbols, &location, 1), at = (i * 7) % BLOCKS;
        CHECK_INT(stack, i);
        native_leaks_malloc(&l, 1000 - i, at / 2, stack, 0, at); /* two at a time; the later one lies lower */
    }
    CHECK_INT(native_leaks_report(&l, &p), BLOCKS);
    for (uint32_t i = 1; i < BLOCKS; i++)
        CHECK(profile_values(&p, i)[1] / 2 >= profile_values(&p, i - 1)[1] / 2);
    profile_done(&p);
    symbols_done(&symbols);
}

int main(void)
{
    RUN(live_blocks_are_reported_in_the_order_of_time);
    RUN(a_block_is_live_when_nothing_younger_freed_it);
    RUN(chunks_add_up);
    RUN(there_is_room_for_a_number_of_blocks);
    return REPORT();
}
