#include "pprof/conversion_parts.h"

#include "pprof/converting.h"
#include "pprof/recording.h"
#include "test.h"

enum { CHUNKS = 6, EVENTS = 200 };

/* A chunk that differs from others by `seed`: stacks in another order, other events, other threads. */
static struct chunk_builder some_chunk(unsigned seed)
{
    struct chunk_builder c = recording_begin();
    c.start_ns = 1000000000 + (int64_t)seed * 1000;
    c.duration_ns = 1000;
    if (seed == 0)
        recording_setting(&c, "event", "cpu");
    for (unsigned i = 0; i < EVENTS; i++) {
        seed = seed * 1103515245 + 12345;
        const unsigned r = seed >> 16;
        const uint64_t stack = 1 + r % 4, thread = r / 4 % 2 ? THREAD_MAIN : THREAD_GC;
        switch (r / 8 % 5) {
        case 0:
            recording_execution(&c, stack, thread, r / 64 % 3);
            break;
        case 1:
            recording_wall(&c, stack, thread, r / 64 % 3, 1 + r / 256 % 3);
            break;
        case 2:
            recording_tlab(&c, stack, thread, r % 1000);
            break;
        case 3:
            recording_lock(&c, stack, thread, r % 77);
            break;
        default:
            recording_park(&c, stack, thread, r % 777);
            break;
        }
    }
    recording_end(&c);
    return c;
}

/* All profiles, as bytes. */
static void put_all(struct conversion *c, struct buf *out)
{
    struct pprof_result *results;
    size_t n;
    struct err err = {0};
    CHECK_INT(conversion_finish(c, &results, &n, &err), 0);
    for (size_t i = 0; i < n; i++) {
        buf_printf(out, "%s %zu ", results[i].name, results[i].len);
        buf_append(out, results[i].bytes, results[i].len);
    }
    const struct conversion_event *events = conversion_events(c, &n);
    for (size_t i = 0; i < n; i++)
        buf_printf(out, "%llu ", (unsigned long long)events[i].count);
    struct conversion_options seen = {0};
    conversion_settings(c, &seen);
    buf_printf(out, "%s %lld %lld", seen.event, (long long)conversion_start_ns(c), (long long)conversion_end_ns(c));
}

/* 1 or 0: whether the chunk could be joined; else it was added as any other. */
static int join(struct conversion *c, const struct chunk_builder *chunk, const struct recorded_settings *settings)
{
    struct err err = {0};
    struct recorded_settings begun = {0};
    settings_copy(&begun, settings);
    struct conversion *part = conversion_part_new(c, &begun);
    const int code = conversion_add(part, chunk->b.p, chunk->b.len, &err);
    const int joined = code == 0 ? conversion_join(c, part, &begun) : 0;
    conversion_free(part);
    recorded_settings_done(&begun);
    if (joined == 0)
        CHECK_INT(conversion_add(c, chunk->b.p, chunk->b.len, &err), code);
    return joined;
}

static void check_same(const struct conversion_options *o)
{
    struct conversion *one = conversion_new(o), *parts = conversion_new(o);
    cleanup_buf struct buf want = BUF_INIT(1 << 24), got = BUF_INIT(1 << 24);
    for (unsigned i = 0; i < 2 * CHUNKS; i++) {
        struct chunk_builder chunk = some_chunk(i % CHUNKS);
        struct err err = {0};
        if (i == CHUNKS) {
            conversion_next_recording(one);
            conversion_next_recording(parts);
        }
        CHECK_INT(conversion_add(one, chunk.b.p, chunk.b.len, &err), 0);
        CHECK_INT(join(parts, &chunk, conversion_settings_now(parts)), 1);
        chunk_done(&chunk);
    }
    put_all(one, &want);
    put_all(parts, &got);
    CHECK(str_eq(buf_slice(&want), buf_slice(&got)));
    conversion_free(one);
    conversion_free(parts);
}

static void parts_come_to_the_same_bytes(void)
{
    check_same(&(struct conversion_options){.cpu_ns = 10});
    check_same(&(struct conversion_options){.cpu_ns = 10, .wall_ns = 7, .event = "itimer"});
    check_same(&(struct conversion_options){.cpu_ns = 10, .per_thread = true, .per_state = true, .lock_class = true});
    check_same(&(struct conversion_options){.cpu_ns = 10, .time_ns = 100, .thread_ids = true, .per_thread = true});
    check_same(&(struct conversion_options){.cpu_ns = 10, .from_ns = 1000002000, .until_ns = 1000004000});
    check_same(&(struct conversion_options){.cpu_ns = 10, .limits = &conversion_limits_files, .mark_truncated = true});
}

/* The second chunk says another event, by which its samples count and those of the third. */
static void a_part_made_with_other_settings_is_not_joined(void)
{
    const struct conversion_options o = {.cpu_ns = 10};
    struct conversion *c = conversion_new(&o), *same = conversion_new(&o);
    cleanup_buf struct buf want = BUF_INIT(1 << 20), got = BUF_INIT(1 << 20);
    for (unsigned i = 0; i < 3; i++) {
        struct chunk_builder chunk = recording_begin();
        struct err err = {0};
        if (i == 1) {
            recording_setting(&chunk, "event", "wall");
            recording_setting(&chunk, "interval", "1000");
        }
        recording_execution(&chunk, STACK_MAIN, THREAD_MAIN, STATE_RUNNABLE);
        recording_end(&chunk);
        CHECK_INT(conversion_add(same, chunk.b.p, chunk.b.len, &err), 0);
        CHECK_INT(join(c, &chunk, conversion_settings_at_begin(c)), i < 2);
        chunk_done(&chunk);
    }
    put_all(same, &want);
    put_all(c, &got);
    CHECK(str_eq(buf_slice(&want), buf_slice(&got)));
    conversion_free(c);
    conversion_free(same);
}

/* Threads, samples, stacks: where one of two limits might be reached, the chunk is added alone. */
static void a_part_is_not_joined_where_a_limit_may_be_reached(void)
{
    struct conversion_limits tight = conversion_limits_files;
    static const struct {
        size_t stacks, samples, text;
        uint32_t threads;
    } cases[] = {{3, 1000, 1 << 20, 9}, {1000, 3, 1 << 20, 9}, {1000, 1000, 150, 9}, {1000, 1000, 1 << 20, 1}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        tight.stacks = cases[i].stacks;
        tight.samples = cases[i].samples;
        tight.text = cases[i].text;
        const struct conversion_options o = {
            .cpu_ns = 10, .limits = &tight, .per_thread = true, .threads_max = cases[i].threads};
        struct conversion *one = conversion_new(&o), *parts = conversion_new(&o);
        cleanup_buf struct buf want = BUF_INIT(1 << 20), got = BUF_INIT(1 << 20);
        int joined = 0;
        for (unsigned k = 0; k < 3; k++) {
            struct chunk_builder chunk = some_chunk(k);
            struct err err = {0};
            CHECK_INT(conversion_add(one, chunk.b.p, chunk.b.len, &err), 0);
            joined += join(parts, &chunk, conversion_settings_now(parts));
            chunk_done(&chunk);
        }
        CHECK(joined < 3);
        put_all(one, &want);
        put_all(parts, &got);
        CHECK(str_eq(buf_slice(&want), buf_slice(&got)));
        conversion_free(one);
        conversion_free(parts);
    }
}

/* It may be freed in the next chunk. */
static void native_memory_is_not_joined(void)
{
    const struct conversion_options o = {.cpu_ns = 10};
    struct conversion *c = conversion_new(&o);
    struct chunk_builder chunk = recording_begin();
    recording_malloc(&chunk, STACK_MAIN, THREAD_MAIN, 64);
    recording_end(&chunk);
    CHECK_INT(join(c, &chunk, conversion_settings_now(c)), 0);
    CHECK_INT(join(c, &chunk, conversion_settings_now(c)), 0);
    chunk_done(&chunk);
    conversion_free(c);
}

static void the_reference_has_no_parts(void)
{
    struct conversion *c = conversion_new(&(struct conversion_options){.cpu_ns = 10});
    CHECK(conversion_has_parts(c));
    conversion_free(c);
    c = conversion_new(&(struct conversion_options){.cpu_ns = 10, .compat = true});
    CHECK(!conversion_has_parts(c));
    conversion_free(c);
}

int main(void)
{
    RUN(parts_come_to_the_same_bytes);
    RUN(a_part_made_with_other_settings_is_not_joined);
    RUN(a_part_is_not_joined_where_a_limit_may_be_reached);
    RUN(native_memory_is_not_joined);
    RUN(the_reference_has_no_parts);
    return REPORT();
}
