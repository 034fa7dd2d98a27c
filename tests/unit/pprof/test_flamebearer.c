#include "pprof/flamebearer.h"

#include "pprof/sample_profile.h"
#include "test.h"

enum { MAX = 1 << 20 };

static void put(const struct profile *p, size_t column, bool compare, struct buf *out)
{
    cleanup_flame_table struct flame_table t;
    flame_table_init(&t, p);
    flamebearer_put(&(struct flamebearer){"memory", p, &t, column, compare}, out);
    CHECK(buf_ok(out));
}

static uint32_t stack(struct symbols *s, const char *leaf, const char *root)
{
    uint32_t frames[] = {sample_location(s, leaf, 1), sample_location(s, root, 2)};
    return symbols_stack(s, frames, 2);
}

static void bars_are_counted_from_the_one_to_the_left(void)
{
    cleanup_symbols struct symbols s;
    cleanup_profile struct profile p;
    cleanup_buf struct buf out = BUF_INIT(MAX);
    symbols_init(&s, MAX);
    profile_init(&p, &s);
    (void)profile_add_type(&p, STR("cpu"), STR("nanoseconds"));
    uint32_t main = sample_location(&s, "main", 3);
    (void)profile_add(&p, symbols_stack(&s, &main, 1), 0, (int64_t[]){5});
    (void)profile_add(&p, stack(&s, "small", "main"), 0, (int64_t[]){1});
    (void)profile_add(&p, stack(&s, "large", "main"), 0, (int64_t[]){4});
    (void)profile_add(&p, stack(&s, "leaf", "other"), 0, (int64_t[]){2});
    (void)profile_add(&p, stack(&s, "gone", "other"), 0, (int64_t[]){-2});
    put(&p, 0, false, &out);
    CHECK_HAS(buf_cstr(&out), "\"names\":[\"total\",\"main\",\"small\",\"large\",\"other\",\"leaf\"]");
    CHECK_HAS(buf_cstr(&out), "\"levels\":[[0,12,0,0],[0,10,5,1,0,2,0,4],[0,4,4,3,0,1,1,2,5,2,2,5]]");
    CHECK_HAS(buf_cstr(&out), "\"numTicks\":12,\"maxSelf\":5}");
    CHECK_HAS(buf_cstr(&out), "\"format\":\"single\"");
    CHECK_HAS(buf_cstr(&out), "\"sampleRate\":1000000000");
}

static void a_comparison_has_both_sides_in_every_bar(void)
{
    cleanup_symbols struct symbols s;
    cleanup_profile struct profile p;
    cleanup_buf struct buf out = BUF_INIT(MAX);
    symbols_init(&s, MAX);
    profile_init(&p, &s);
    (void)profile_add_type(&p, STR("live"), STR("count"));
    (void)profile_add_type(&p, STR("live"), STR("count"));
    (void)profile_add(&p, stack(&s, "more", "main"), 0, (int64_t[]){7, 1});
    (void)profile_add(&p, stack(&s, "less", "main"), 0, (int64_t[]){0, 3});
    put(&p, 0, true, &out);
    CHECK_HAS(buf_cstr(&out), "\"levels\":[[0,4,0,0,7,0,0],[0,4,0,0,7,0,1],[0,1,1,0,7,7,2,0,3,3,0,0,0,3]]");
    CHECK_HAS(buf_cstr(&out), "\"leftTicks\":4,\"rightTicks\":7");
    CHECK_HAS(buf_cstr(&out), "\"format\":\"double\"");
}

static void names_are_escaped_and_sums_stop_at_the_largest_number(void)
{
    cleanup_symbols struct symbols s;
    cleanup_profile struct profile p;
    cleanup_buf struct buf out = BUF_INIT(MAX);
    symbols_init(&s, MAX);
    profile_init(&p, &s);
    (void)profile_add_type(&p, STR("a\"b"), STR("\x01"));
    (void)profile_add(&p, stack(&s, "q\"\n\xff", "main"), 0, (int64_t[]){INT64_MAX});
    (void)profile_add(&p, stack(&s, "b", "main"), 0, (int64_t[]){INT64_MAX});
    put(&p, 0, false, &out);
    CHECK_HAS(buf_cstr(&out), "\"q\\\"\\u000a\xef\xbf\xbd\"");
    CHECK_HAS(buf_cstr(&out), "\"numTicks\":9223372036854775807");
    CHECK_HAS(buf_cstr(&out), "\"sampleType\":\"a\\\"b\"");
}

int main(void)
{
    RUN(bars_are_counted_from_the_one_to_the_left);
    RUN(a_comparison_has_both_sides_in_every_bar);
    RUN(names_are_escaped_and_sums_stop_at_the_largest_number);
    return REPORT();
}
