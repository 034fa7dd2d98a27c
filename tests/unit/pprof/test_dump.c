#include "pprof/dump.h"

#include "pprof/sample_profile.h"
#include "test.h"

enum { MAX = 1 << 20 };

static void a_person_can_read_it(void)
{
    cleanup_symbols struct symbols s;
    cleanup_profile struct profile p;
    cleanup_buf struct buf out = BUF_INIT(MAX);
    symbols_init(&s, MAX);
    sample_profile(&p, &s);
    pprof_dump(&p, "memory", &out);
    const char *text = buf_cstr(&out);
    CHECK_HAS(text, "memory, 2023-11-14 22:13:20 UTC, 15.00 s, one sample each 512.00 KiB of space\n");
    CHECK_HAS(text, "           3  objects/count\n");
    CHECK_HAS(text, "           2  66.7%            2  66.7%  app.Main.work\n");
    CHECK_HAS(text, "           1  33.3%            3 100.0%  app.Main.main\n");
    CHECK_HAS(text, "samples: 2\n");
    CHECK_HAS(text, "           2       300 B\n              app.Main.work:20\n              app.Main.main:10\n");
    CHECK_HAS(text, "           1        -5 B  thread=main\n");
}

static void a_recursive_function_counts_once_a_stack(void)
{
    cleanup_symbols struct symbols s;
    cleanup_profile struct profile p;
    cleanup_buf struct buf out = BUF_INIT(MAX);
    symbols_init(&s, MAX);
    profile_init(&p, &s);
    (void)profile_add_type(&p, STR("cpu"), STR("nanoseconds"));
    uint32_t l = sample_location(&s, "fib", 1), frames[] = {l, l, l};
    (void)profile_add(&p, symbols_stack(&s, frames, 3), 0, (int64_t[]){1500000});
    pprof_dump(&p, "process_cpu", &out);
    CHECK_HAS(buf_cstr(&out), "     1.50 ms 100.0%      1.50 ms 100.0%  fib\n");
    CHECK_HAS(buf_cstr(&out), "unknown time");
}

/* A profile of differences, as --diff-base writes it. */
static void no_share_is_above_the_whole(void)
{
    cleanup_symbols struct symbols s;
    cleanup_profile struct profile p;
    cleanup_buf struct buf out = BUF_INIT(MAX);
    symbols_init(&s, MAX);
    profile_init(&p, &s);
    (void)profile_add_type(&p, STR("cpu"), STR("count"));
    const uint32_t x = sample_location(&s, "x", 1), y = sample_location(&s, "y", 1);
    (void)profile_add(&p, symbols_stack(&s, &x, 1), 0, (int64_t[]){-200});
    (void)profile_add(&p, symbols_stack(&s, &y, 1), 0, (int64_t[]){210});
    pprof_dump(&p, "process_cpu", &out);
    CHECK_HAS(buf_cstr(&out), "          10  cpu/count\n");
    CHECK_HAS(buf_cstr(&out),
              "         210  51.2%          210  51.2%  y\n        -200 -48.8%         -200 -48.8%  x\n");
}

/* The same share of twice as many samples is no change in points. */
static void a_comparison_tells_points(void)
{
    cleanup_symbols struct symbols s;
    cleanup_profile struct profile p;
    cleanup_buf struct buf out = BUF_INIT(MAX);
    symbols_init(&s, MAX);
    profile_init(&p, &s);
    (void)profile_add_type(&p, STR("cpu"), STR("nanoseconds"));
    (void)profile_add_type(&p, STR("cpu"), STR("nanoseconds"));
    const uint32_t main = sample_location(&s, "main", 1);
    const uint32_t x[] = {sample_location(&s, "x", 1), main}, y[] = {sample_location(&s, "y", 1), main},
                   same[] = {sample_location(&s, "same", 1), main};
    (void)profile_add(&p, symbols_stack(&s, x, 2), 0, (int64_t[]){0, 40});
    (void)profile_add(&p, symbols_stack(&s, y, 2), 0, (int64_t[]){100, 10});
    (void)profile_add(&p, symbols_stack(&s, same, 2), 0, (int64_t[]){100, 50});
    (void)profile_add(&p, symbols_stack(&s, &main, 1), 0, (int64_t[]){7, 7});
    pprof_dump_compared(&p, "process_cpu", &out);
    const char *text = buf_cstr(&out);
    CHECK_HAS(text, "      100 ns  cpu/nanoseconds (207 ns, 107 ns before)\n");
    CHECK_HAS(text, "        self points        total points  function by cpu\n");
    CHECK_HAS(text, "       90 ns  +39.0        90 ns  +39.0  y\n");
    CHECK_HAS(text, "       50 ns   +1.6        50 ns   +1.6  same\n");
    CHECK_HAS(text, "      -40 ns  -37.4       -40 ns  -37.4  x\n");
    CHECK_HAS(text, "        0 ns   -3.2       100 ns   +0.0  main\n");
    CHECK_HAS(text, "samples: 3\n"); /* of what changed */
}

int main(void)
{
    RUN(a_person_can_read_it);
    RUN(a_recursive_function_counts_once_a_stack);
    RUN(no_share_is_above_the_whole);
    RUN(a_comparison_tells_points);
    return REPORT();
}
