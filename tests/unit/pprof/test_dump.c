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

int main(void)
{
    RUN(a_person_can_read_it);
    RUN(a_recursive_function_counts_once_a_stack);
    return REPORT();
}
