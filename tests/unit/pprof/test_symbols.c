#include "pprof/symbols.h"

#include "test.h"

enum { MAX = 1 << 20 };

static void equal_content_has_one_number(void)
{
    cleanup_symbols struct symbols s;
    symbols_init(&s, MAX);
    CHECK_INT(symbols_string(&s, STR("")), 0);
    const uint32_t name = symbols_string(&s, STR("java.lang.String"));
    CHECK_INT(symbols_joined(&s, STR("java.lang"), '.', STR("String")), name);
    CHECK(symbols_string(&s, STR("java.lang.Strings")) != name);
    const struct pprof_function f = {.name = name, .start_line = 3};
    const uint32_t function = symbols_function(&s, f);
    CHECK_INT(symbols_function(&s, f), function);
    const uint32_t at = symbols_location(&s, (struct pprof_location){function, 10});
    CHECK_INT(symbols_location(&s, (struct pprof_location){function, 10}), at);
    CHECK(symbols_location(&s, (struct pprof_location){function, 11}) != at);
    CHECK(str_is(symbols_name(&s, at), "java.lang.String"));
}

static void stacks_and_label_sets_are_told_by_all_of_them(void)
{
    cleanup_symbols struct symbols s;
    symbols_init(&s, MAX);
    const uint32_t f = symbols_function(&s, (struct pprof_function){.name = symbols_string(&s, STR("f"))});
    const uint32_t frames[] = {symbols_location(&s, (struct pprof_location){f, 1}),
                               symbols_location(&s, (struct pprof_location){f, 2})};
    const uint32_t both = symbols_stack(&s, frames, 2);
    CHECK_INT(symbols_stack(&s, frames, 2), both);
    CHECK(symbols_stack(&s, frames, 1) != both);
    CHECK(symbols_stack(&s, (uint32_t[]){frames[1], frames[0]}, 2) != both);
    CHECK_INT(s.stacks[both].count, 2);
    const struct pprof_label l[] = {{.key = f, .str = f}, {.key = f, .num = 5}};
    CHECK_INT(symbols_labels(&s, l, 0), 0); /* the empty set */
    const uint32_t set = symbols_labels(&s, l, 2);
    CHECK_INT(symbols_labels(&s, l, 2), set);
    CHECK(symbols_labels(&s, l, 1) != set);
}

/* What a chain of calls gives is looked at once, at its end. */
static void fullness_goes_through_a_chain(void)
{
    cleanup_symbols struct symbols s;
    symbols_init(&s, MAX);
    CHECK(symbols_function(&s, (struct pprof_function){.name = SYMBOLS_FULL}) == SYMBOLS_FULL);
    CHECK(symbols_location(&s, (struct pprof_location){SYMBOLS_FULL, 1}) == SYMBOLS_FULL);
}

static void bounds_hold_and_what_is_there_stays(void)
{
    cleanup_symbols struct symbols s;
    symbols_init(&s, 8192);
    s.stacks_max = 3;
    const uint32_t first = symbols_string(&s, STR("first"));
    uint32_t last = first;
    char text[32];
    for (int i = 0; i < 10000 && last != SYMBOLS_FULL; i++) {
        snprintf(text, sizeof text, "string number %d", i);
        last = symbols_string(&s, str_of(text));
    }
    CHECK(last == SYMBOLS_FULL);
    CHECK_INT(symbols_string(&s, STR("first")), first);

    cleanup_symbols struct symbols few;
    symbols_init(&few, MAX);
    few.stacks_max = 3;
    const uint32_t f = symbols_function(&few, (struct pprof_function){.name = symbols_string(&few, STR("f"))});
    uint32_t stack = 0;
    for (int32_t i = 0; i < 10; i++)
        stack = symbols_stack(&few, (uint32_t[]){symbols_location(&few, (struct pprof_location){f, i})}, 1);
    CHECK(stack == SYMBOLS_FULL);
    CHECK_INT(few.stack_count, 3);
}

int main(void)
{
    RUN(equal_content_has_one_number);
    RUN(stacks_and_label_sets_are_told_by_all_of_them);
    RUN(fullness_goes_through_a_chain);
    RUN(bounds_hold_and_what_is_there_stays);
    return REPORT();
}
