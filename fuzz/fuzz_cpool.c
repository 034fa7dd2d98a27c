/* Checkpoints of any bytes behind the metadata of a real producer's types: indexed, and every entry found again and
 * decoded. The first two bytes say which of the rest the header names. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "jfr/cpool.h"
#include "pprof/recording.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { ARENA_MAX = 16 << 20 };

static const struct jfr_pool wanted[] = {
    {.type = "jdk.types.StackTrace", .fields = {"frames", "truncated"}},
    {.type = "jdk.types.Method", .fields = {"type", "name"}},
    {.type = "java.lang.Class", .fields = {"name"}},
    {.type = "jdk.types.Symbol", .fields = {"string"}},
    {.type = "java.lang.String", .fields = {"value"}},
    {.type = "java.lang.Thread", .fields = {"javaName", "osName"}},
};
enum { POOLS = sizeof wanted / sizeof *wanted };

static void look_up(const struct jfr_pool *pool, const uint8_t *chunk, size_t len)
{
    for (size_t i = 0; i < pool->len; i++) {
        const struct jfr_entry *e = jfr_pool_find(pool, pool->entries[i].key);
        struct jfr_record rec = {0};
        /* Of entries with one key the last counts. */
        if (!e || e->key != pool->entries[i].key || e->at >= len)
            abort();
        if (!jfr_plan_run(&pool->plan, chunk + e->at, chunk + len, &rec))
            abort();
    }
    (void)jfr_pool_find(pool, UINT64_MAX);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct chunk_builder prefix; /* once: it is the same for all */
    if (size < 2)
        return 0;
    if (!prefix.b.p)
        prefix = recording_begin();
    const size_t rest = size - 2, len = prefix.b.len + rest;
    uint8_t *chunk = malloc(len);
    if (!chunk)
        return 0;
    memcpy(chunk, prefix.b.p, prefix.b.len);
    memcpy(chunk + prefix.b.len, data + 2, rest);
    struct jfr_header header = {
        .size = len, .metadata = prefix.metadata, .checkpoint = prefix.b.len + (size_t)(data[0] | data[1] << 8)};
    struct arena arena = ARENA_INIT(ARENA_MAX);
    struct jfr_metadata m = JFR_METADATA_INIT;
    struct jfr_pool pools[POOLS];
    memcpy(pools, wanted, sizeof wanted);
    if (jfr_metadata_read(chunk, len, header.metadata, &arena, &m, NULL) < 0)
        abort();
    if (jfr_pools_read(chunk, &header, &m, &arena, pools, POOLS, NULL) == 0) {
        for (size_t i = 0; i < POOLS; i++)
            look_up(&pools[i], chunk, len);
    }
    jfr_pools_done(pools, POOLS);
    jfr_metadata_done(&m);
    arena_done(&arena);
    free(chunk);
    return 0;
}
