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

/* Several of a name, several lines of each, asked for in turn: every one has a number of its own, and keeps it. */
static void functions_of_one_name_and_their_lines_are_told_apart(void)
{
    enum { FUNCTIONS = 40, LINES = 5 };
    cleanup_symbols struct symbols s;
    symbols_init(&s, 1 << 20);
    const uint32_t name = symbols_string(&s, STR("run"));
    uint32_t functions[FUNCTIONS], locations[FUNCTIONS][LINES];
    for (int round = 0; round < 2; round++) {
        for (int32_t i = 0; i < FUNCTIONS; i++) {
            const struct pprof_function f = {.name = name, .filename = i % 2 ? name : 0, .start_line = i / 2};
            const uint32_t n = symbols_function(&s, f);
            CHECK(round == 0 ? n == (uint32_t)i : n == functions[i]);
            functions[i] = n;
            for (int32_t line = 0; line < LINES; line++) {
                const uint32_t l = symbols_location(&s, (struct pprof_location){.function = n, .line = line});
                CHECK(round == 0 ? l == (uint32_t)(i * LINES + line) : l == locations[i][line]);
                locations[i][line] = l;
            }
        }
    }
    CHECK_INT(s.function_count, FUNCTIONS);
    CHECK_INT(s.location_count, FUNCTIONS * LINES);
    CHECK_INT(symbols_joined(&s, STR("r"), 'u', STR("n")), name);
    CHECK_INT(s.string_count, 2);
}

int main(void)
{
    RUN(equal_samples_add_up);
    RUN(sums_wrap_and_can_be_taken_back);
    RUN(content_is_kept_once_and_capped);
    RUN(functions_of_one_name_and_their_lines_are_told_apart);
    return REPORT();
}
