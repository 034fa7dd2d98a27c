#include "pprof/profile.h"

#include "pprof/sample_profile.h"
#include "test.h"

static void equal_samples_add_up(void)
{
    cleanup_symbols struct symbols s;
    cleanup_profile struct profile p;
    symbols_init(&s, 1 << 20);
    sample_profile(&p, &s);
    CHECK_INT(p.sample_count, 2);
    CHECK(profile_add(&p, p.samples[0].stack, 0, (int64_t[]){3, 50}));
    CHECK_INT(p.sample_count, 2);
    CHECK_INT(profile_values(&p, 0)[0], 5);
    CHECK_INT(profile_values(&p, 0)[1], 350);
    CHECK(profile_add(&p, p.samples[0].stack, p.samples[1].labels, (int64_t[]){1, 1})); /* other labels */
    CHECK_INT(p.sample_count, 3);
}

static void sums_wrap_and_can_be_taken_back(void)
{
    cleanup_symbols struct symbols s;
    cleanup_profile struct profile p;
    symbols_init(&s, 1 << 20);
    sample_profile(&p, &s);
    uint32_t stack = p.samples[0].stack;
    CHECK(profile_add(&p, stack, 0, (int64_t[]){INT64_MAX, INT64_MAX}));
    CHECK(profile_add(&p, stack, 0, (int64_t[]){-INT64_MAX, -INT64_MAX}));
    CHECK_INT(profile_values(&p, 0)[0], 2);
    CHECK_INT(profile_values(&p, 0)[1], 300);
}

static void content_is_kept_once_and_capped(void)
{
    cleanup_symbols struct symbols s;
    symbols_init(&s, 4096);
    CHECK_INT(symbols_string(&s, STR("a")), symbols_string(&s, STR("a")));
    CHECK_INT(sample_location(&s, "a", 1), sample_location(&s, "a", 1));
    CHECK(sample_location(&s, "a", 1) != sample_location(&s, "a", 2));
    uint32_t last = 0;
    for (int i = 0; i < 1000 && last != SYMBOLS_FULL; i++)
        last = sample_location(&s, "a", i);
    CHECK(last == SYMBOLS_FULL);
    CHECK(symbols_location(&s, (struct pprof_location){.function = SYMBOLS_FULL}) == SYMBOLS_FULL);
    CHECK_INT(sample_location(&s, "a", 1), 0); /* what is there stays */
}

int main(void)
{
    RUN(equal_samples_add_up);
    RUN(sums_wrap_and_can_be_taken_back);
    RUN(content_is_kept_once_and_capped);
    return REPORT();
}
