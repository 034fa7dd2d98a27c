#include "jfr/cpool.h"

#include <errno.h>

#include "jfr/chunk_builder.h"
#include "test.h"

static const char types[] = "11 long\n20 java.lang.String\n31 jdk.types.Symbol string:20\n40 jdk.types.Other a:11 b:11";

enum { SYMBOLS, ABSENT, POOLS };

/* The pools of a chunk, read. */
struct fixture {
    struct arena arena;
    struct jfr_metadata m;
    struct jfr_pool pools[POOLS];
    struct err err;
    int code;
};

static struct fixture read_pools_up_to(struct chunk_builder *c, size_t max)
{
    struct fixture f = {.arena = ARENA_INIT(1 << 20),
                        .pools = {[SYMBOLS] = {.type = "jdk.types.Symbol", .max = max, .fields = {"string"}},
                                  [ABSENT] = {.type = "jdk.types.Absent", .fields = {"a"}}}};
    struct jfr_header h;
    chunk_end(c);
    CHECK_INT(jfr_header_read(c->b.p, c->b.len, &h, &f.err), 0);
    CHECK_INT(jfr_metadata_read(c->b.p, c->b.len, h.metadata, &f.arena, &f.m, &f.err), 0);
    f.code = jfr_pools_read(c->b.p, &h, &f.m, &f.arena, f.pools, POOLS, &f.err);
    return f;
}

static struct fixture read_pools(struct chunk_builder *c)
{
    return read_pools_up_to(c, 0);
}

static void fixture_done(struct fixture *f)
{
    jfr_pools_done(f->pools, POOLS);
    jfr_metadata_done(&f->m);
    arena_done(&f->arena);
}
#define WITH_POOLS __attribute__((cleanup(fixture_done))) struct fixture

static void check_symbol(const struct fixture *f, const struct chunk_builder *c, uint64_t key, const char *want)
{
    const struct jfr_entry *e = jfr_pool_find(&f->pools[SYMBOLS], key);
    CHECK(e);
    if (e)
        CHECK(c->b.p[e->at] == 3 && c->b.p[e->at + 1] == strlen(want) &&
              memcmp(c->b.p + e->at + 2, want, strlen(want)) == 0);
}

static void symbol(struct chunk_builder *c, uint64_t key, const char *text)
{
    chunk_varint(c, key);
    chunk_text(c, text);
}

static void entries_are_found_by_keys_of_64_bits(void)
{
    cleanup_chunk struct chunk_builder c = chunk_begin(types);
    chunk_checkpoint(&c, 0, 4);
    CHUNK_VARINTS(&c, 40, 2, 1, 2, 3, 4, 5, 6); /* nobody asked for it */
    CHUNK_VARINTS(&c, 31, 2);
    symbol(&c, 0, "zero");
    symbol(&c, UINT64_MAX, "top");
    CHUNK_VARINTS(&c, 20, 1, 0, 0);
    CHUNK_VARINTS(&c, 31, 1); /* the same type again */
    symbol(&c, UINT64_C(0x100000007), "high");
    chunk_event_end(&c);
    WITH_POOLS f = read_pools(&c);
    CHECK_INT(f.code, 0);
    CHECK_INT(f.pools[SYMBOLS].len, 3);
    check_symbol(&f, &c, 0, "zero");
    check_symbol(&f, &c, UINT64_MAX, "top");
    check_symbol(&f, &c, UINT64_C(0x100000007), "high");
    CHECK(!jfr_pool_find(&f.pools[SYMBOLS], 7));
    CHECK(!jfr_pool_find(&f.pools[ABSENT], 0));
}

static void checkpoints_are_followed_backwards(void)
{
    cleanup_chunk struct chunk_builder c = chunk_begin(types);
    chunk_checkpoint(&c, 0, 1);
    CHUNK_VARINTS(&c, 31, 1);
    symbol(&c, 1, "old");
    chunk_event_end(&c);
    const size_t first = c.checkpoint;
    chunk_checkpoint(&c, (int64_t)first - (int64_t)c.b.len, 1);
    CHUNK_VARINTS(&c, 31, 1);
    symbol(&c, 2, "new");
    chunk_event_end(&c);
    WITH_POOLS f = read_pools(&c);
    CHECK_INT(f.code, 0);
    check_symbol(&f, &c, 1, "old");
    check_symbol(&f, &c, 2, "new");
}

/* Keys as producers choose them: from 1 on, hashes, addresses; each way of indexing finds all and nothing else. */
static void dense_and_sparse_keys_are_found(void)
{
    enum { KEYS = 1000 };
    static const uint64_t strides[] = {1, 3, 4, 97, UINT64_C(1) << 16 | 1, UINT64_C(1) << 52 | 12345};
    for (size_t s = 0; s < sizeof strides / sizeof *strides; s++) {
        cleanup_chunk struct chunk_builder c = chunk_begin(types);
        chunk_checkpoint(&c, 0, 1);
        CHUNK_VARINTS(&c, 31, KEYS);
        for (uint64_t i = 0; i < KEYS; i++)
            symbol(&c, i * strides[s], i % 2 ? "odd" : "even");
        chunk_event_end(&c);
        WITH_POOLS f = read_pools(&c);
        CHECK_INT(f.code, 0);
        for (uint64_t i = 0; i < KEYS; i++)
            check_symbol(&f, &c, i * strides[s], i % 2 ? "odd" : "even");
        CHECK(!jfr_pool_find(&f.pools[SYMBOLS], KEYS * strides[s]));
        CHECK(!jfr_pool_find(&f.pools[SYMBOLS], UINT64_MAX));
        CHECK(!jfr_pool_find(&f.pools[SYMBOLS], UINT64_C(1) << 32));
    }
}

static void the_entry_read_last_counts(void)
{
    static const uint64_t keys[] = {1, UINT64_C(1) << 40};
    for (size_t i = 0; i < sizeof keys / sizeof *keys; i++) {
        cleanup_chunk struct chunk_builder c = chunk_begin(types);
        chunk_checkpoint(&c, 0, 1);
        CHUNK_VARINTS(&c, 31, 2);
        symbol(&c, keys[i], "first");
        symbol(&c, keys[i], "last");
        chunk_event_end(&c);
        WITH_POOLS f = read_pools(&c);
        check_symbol(&f, &c, keys[i], "last");
    }
}

static void check_refused(struct chunk_builder *c, const char *why)
{
    WITH_POOLS f = read_pools(c);
    CHECK_INT(f.code, -EBADMSG);
    CHECK_HAS(f.err.text, why);
}

static void a_chain_that_runs_in_circles_ends(void)
{
    cleanup_chunk struct chunk_builder c = chunk_begin(types);
    const int64_t size = 5 + 5 + 1; /* header of an event, five small numbers, and a delta of one byte */
    chunk_checkpoint(&c, size, 0);
    chunk_event_end(&c);
    const size_t first = c.checkpoint;
    CHECK_INT(c.b.len - first, size);
    chunk_checkpoint(&c, (int64_t)first - (int64_t)c.b.len, 0);
    chunk_event_end(&c);
    check_refused(&c, "cycle");
}

static void a_chain_that_leaves_the_chunk_is_refused(void)
{
    cleanup_chunk struct chunk_builder c = chunk_begin(types);
    chunk_checkpoint(&c, INT64_MIN, 0);
    chunk_event_end(&c);
    check_refused(&c, "leaves the chunk");
    c.checkpoint = c.metadata;
    check_refused(&c, "type 0");
}

static void pools_that_do_not_fit_are_refused(void)
{
    cleanup_chunk struct chunk_builder c = chunk_begin(types);
    chunk_checkpoint(&c, 0, 1);
    CHUNK_VARINTS(&c, 31, UINT64_MAX);
    chunk_event_end(&c);
    check_refused(&c, "entries in");
    chunk_checkpoint(&c, 0, 1);
    CHUNK_VARINTS(&c, 99, 0);
    chunk_event_end(&c);
    check_refused(&c, "undescribed");
    chunk_checkpoint(&c, 0, 2); /* one of which is missing */
    CHUNK_VARINTS(&c, 31, 0);
    chunk_event_end(&c);
    check_refused(&c, "truncated");
}

static void entries_have_a_maximum(void)
{
    cleanup_chunk struct chunk_builder c = chunk_begin(types);
    chunk_checkpoint(&c, 0, 2); /* one pool in two parts */
    for (uint64_t i = 0; i < 2; i++) {
        CHUNK_VARINTS(&c, 31, 2);
        symbol(&c, 2 * i, "first");
        symbol(&c, 2 * i + 1, "second");
    }
    chunk_event_end(&c);
    WITH_POOLS enough = read_pools_up_to(&c, 4), few = read_pools_up_to(&c, 3);
    CHECK_INT(enough.code, 0);
    CHECK_INT(few.code, 0);
    CHECK_INT(enough.pools[0].left_out, 0);
    CHECK_INT(few.pools[0].left_out, 1);
    CHECK(jfr_pool_find(&few.pools[0], 2) && !jfr_pool_find(&few.pools[0], 3));
}

int main(void)
{
    RUN(entries_have_a_maximum);
    RUN(entries_are_found_by_keys_of_64_bits);
    RUN(checkpoints_are_followed_backwards);
    RUN(dense_and_sparse_keys_are_found);
    RUN(the_entry_read_last_counts);
    RUN(a_chain_that_runs_in_circles_ends);
    RUN(a_chain_that_leaves_the_chunk_is_refused);
    RUN(pools_that_do_not_fit_are_refused);
    return REPORT();
}
