#include "pprof/stack_filter.h"

#include "base/cleanup.h"
#include "test.h"

static uint32_t stack(struct symbols *s, const char *const *names)
{
    uint32_t locations[8];
    size_t n = 0;
    for (; *names; names++) {
        const uint32_t function =
            symbols_function(s, (struct pprof_function){.name = symbols_string(s, str_of(*names))});
        locations[n++] = symbols_location(s, (struct pprof_location){.function = function});
    }
    return symbols_stack(s, locations, n);
}

/* The values of what is left of stacks of values 1, 2, 4 and 8, together. */
static int64_t left(const char *patterns)
{
    static const char *const stacks[][4] = {
        {"java/util/HashMap.get", "Shop.main"},
        {"libc.so.6.read", "java/io/Reader.read", "Shop.main"},
        {"java/lang/Thread.sleep", "Pool.run"},
        {"GCTask"},
    };
    cleanup_symbols struct symbols s;
    cleanup_profile struct profile p;
    int64_t sum = 0;
    symbols_init(&s, 1 << 20);
    profile_init(&p, &s);
    CHECK(profile_add_type(&p, STR("cpu"), STR("nanoseconds")));
    for (size_t i = 0; i < ARRAY_LEN(stacks); i++)
        CHECK(profile_add(&p, stack(&s, stacks[i]), 0, &(int64_t){(int64_t)1 << i}));
    stack_filter_apply(patterns, &p);
    for (size_t i = 0; i < p.sample_count; i++)
        sum += profile_values(&p, i)[0];
    return sum;
}

static void patterns_match_frames_as_async_profiler_does(void)
{
    CHECK_INT(left(""), 15);
    CHECK_INT(left("+Shop.main"), 3);
    CHECK_INT(left("+Shop"), 0);
    CHECK_INT(left("+Shop.*"), 3);
    CHECK_INT(left("+*.read"), 2);
    CHECK_INT(left("+*Hash*"), 1);
    CHECK_INT(left("+*"), 15);
    CHECK_INT(left("+*hash*"), 0);
    CHECK_INT(left("-Shop.main"), 12);
    CHECK_INT(left("-*"), 0);
    CHECK_INT(left("-GC*"), 7);
}

static void one_include_is_enough_and_one_exclude_too(void)
{
    CHECK_INT(left("+Pool.run\n+GC*"), 12);
    CHECK_INT(left("-Pool.run\n-GC*"), 3);
    CHECK_INT(left("+Shop.main\n-*.read"), 1);
    CHECK_INT(left("-*.read\n+Shop.main\n"), 1);
    CHECK_INT(left("+java/*\n-*.sleep\n-libc*"), 1);
}

int main(void)
{
    RUN(patterns_match_frames_as_async_profiler_does);
    RUN(one_include_is_enough_and_one_exclude_too);
    return REPORT();
}
