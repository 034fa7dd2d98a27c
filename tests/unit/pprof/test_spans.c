#include "pprof/spans.h"

#include "test.h"

static void the_innermost_span_of_the_thread_counts(void)
{
    struct spans s = {0};
    spans_add(&s, 1, 100, 100, 7); /* 100 to 200 */
    spans_add(&s, 1, 120, 20, 8);  /* in it */
    spans_add(&s, 2, 0, 1000, 9);
    spans_add(&s, 1, 300, 10, 10);
    spans_sort(&s);
    static const struct {
        uint64_t thread, time;
        uint32_t tag;
    } cases[] = {{1, 99, 0},   {1, 100, 7}, {1, 125, 8}, {1, 150, 7},       {1, 250, 0},
                 {1, 305, 10}, {2, 125, 9}, {3, 125, 0}, {1, UINT64_MAX, 0}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        CHECK_INT(spans_at(&s, cases[i].thread, cases[i].time), cases[i].tag);
    spans_done(&s);
}

static void spans_that_overflow_their_clock_are_none(void)
{
    struct spans s = {0};
    spans_add(&s, 1, UINT64_MAX - 5, 100, 7);
    spans_add(&s, 1, 10, UINT64_MAX, 8);
    spans_sort(&s);
    CHECK_INT(spans_at(&s, 1, 11), 0);
    CHECK_INT(spans_at(&s, 1, UINT64_MAX), 0);
    spans_done(&s);
}

static void beyond_the_maximum_they_are_only_counted(void)
{
    struct spans s = {.max = 10};
    for (uint64_t i = 0; i < 25; i++)
        spans_add(&s, 1, 10 * i, 5, (uint32_t)(i + 1));
    spans_sort(&s);
    CHECK_INT(s.count, 10);
    CHECK_INT(s.left_out, 15);
    CHECK_INT(spans_at(&s, 1, 91), 10);
    CHECK_INT(spans_at(&s, 1, 241), 0);
    spans_done(&s);
}

int main(void)
{
    RUN(the_innermost_span_of_the_thread_counts);
    RUN(spans_that_overflow_their_clock_are_none);
    RUN(beyond_the_maximum_they_are_only_counted);
    return REPORT();
}
