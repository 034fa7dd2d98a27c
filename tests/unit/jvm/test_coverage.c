/* CPU time in samples against that of the kernel, with times of this test's own. */
#include "jvm/session/coverage.h"

#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "test.h"

static const int64_t SECOND = 1000000000, SAMPLE = 10000000;

static struct coverage c;
static int64_t now, cpu;

static void begin(void)
{
    c = (struct coverage){0};
    now = 1000 * SECOND;
    cpu = 50 * SECOND;
    coverage_note(&c, now, now, cpu, true);
}

/* An interval of 15 s in which the process used that much CPU time and samples say that. */
static bool interval(double used_s, double sampled_s)
{
    const int64_t start = now;
    now += 15 * SECOND;
    cpu += (int64_t)(used_s * 1e9);
    coverage_note(&c, now + SECOND / 10, now + SECOND / 10, cpu, true);
    coverage_chunk(&c, start, now, true);
    return coverage_sampled(&c, sampled_s < 0 ? -1 : (int64_t)(sampled_s * 1e9), SAMPLE);
}

static const char *text(void)
{
    static char text[COVERAGE_WHY_MAX];
    coverage_text(&c, "itimer", text, sizeof text);
    return text;
}

static void only_cpu_time_is_compared(void)
{
    CHECK(coverage_applies("event=itimer,interval=10000000,alloc=512k"));
    CHECK(coverage_applies("event=cpu"));
    CHECK(!coverage_applies("event=wall"));
    CHECK(!coverage_applies("event=cache-misses"));
    CHECK(!coverage_applies("alloc=512k"));
    CHECK(!coverage_applies("event=cpu,alluser"));
    CHECK(!coverage_applies("event=itimer,event=wall"));
}

static void no_samples_of_a_busy_process_are_a_problem_after_three_intervals(void)
{
    begin();
    CHECK(!interval(5, 0) && !interval(5, 0));
    CHECK_INT(c.verdict, COVERAGE_FINE);
    CHECK(interval(5, 0));
    CHECK_INT(c.verdict, COVERAGE_NONE);
    CHECK_STR(text(),
              "without CPU samples: the process used 15.0 s of CPU time in 3 intervals, and itimer delivered 0.0 s");
    CHECK(!interval(5, 0)); /* no other text */
    CHECK(!interval(5, 5) && !interval(5, 5) && interval(5, 5));
    CHECK_STR(text(), "");
}

static void half_and_twice_are_problems_and_less_than_that_is_none(void)
{
    begin();
    for (int i = 0; i < 6; i++)
        CHECK(!interval(10, 5.3) && !interval(10, 19));
    CHECK_INT(c.verdict, COVERAGE_FINE);
    CHECK(!interval(10, 4) && !interval(10, 4) && interval(10, 4));
    CHECK_INT(c.verdict, COVERAGE_LOW);
    CHECK(strstr(text(), "2.5 times less CPU time in samples"));
    begin();
    CHECK(!interval(10, 21) && !interval(10, 22) && interval(10, 23));
    CHECK_INT(c.verdict, COVERAGE_HIGH);
    CHECK(strstr(text(), "2.2 times more CPU time in samples"));
}

static void one_way_then_the_other_is_no_problem(void)
{
    begin();
    for (int i = 0; i < 6; i++)
        CHECK(!interval(10, 4) && !interval(10, 25));
    CHECK_INT(c.verdict, COVERAGE_FINE);
}

static void an_idle_process_is_never_flagged(void)
{
    begin();
    for (int i = 0; i < 20; i++)
        CHECK(!interval(0.3, 0) && !interval(0.1, 0.45));
    CHECK_INT(c.verdict, COVERAGE_FINE);
    /* Idle intervals between do not hide a problem, nor end one. */
    CHECK(!interval(5, 0) && !interval(0.1, 0) && !interval(5, 0) && !interval(0, 0) && interval(5, 0));
    CHECK(!interval(0.1, 0.1));
    CHECK_INT(c.verdict, COVERAGE_NONE);
}

static void what_cannot_be_compared_is_ignored(void)
{
    begin();
    CHECK(!interval(5, -1) && !interval(5, 0) && !interval(5, 0) && !interval(5, -1));
    /* A chunk from before the first reading. */
    coverage_chunk(&c, now - 900 * SECOND, now - 800 * SECOND, true);
    CHECK(!coverage_sampled(&c, 0, SAMPLE));
    CHECK(interval(5, 0));
}

static void a_clock_that_was_set_ignores_the_interval(void)
{
    begin();
    for (int i = 0; i < 4; i++) {
        const int64_t start = now;
        now += 15 * SECOND;
        cpu += 5 * SECOND;
        coverage_note(&c, now, now - (i + 1) * SECOND, cpu, true);
        coverage_chunk(&c, start, now, true);
        CHECK(!coverage_sampled(&c, 0, SAMPLE));
    }
    CHECK_INT(c.verdict, COVERAGE_FINE);
}

static void an_interval_is_the_sum_of_its_chunks(void)
{
    begin();
    for (int i = 0; i < 3; i++) {
        for (int k = 0; k < 4; k++) {
            const int64_t start = now;
            now += 60 * SECOND;
            cpu += 30 * SECOND;
            coverage_note(&c, now, now, cpu, true);
            coverage_chunk(&c, start, now, k == 3);
        }
        CHECK_INT(c.pending[i], 120 * SECOND);
        CHECK_INT(coverage_sampled(&c, 20 * SECOND, SAMPLE), i == 2);
    }
}

static void times_between_readings_are_interpolated(void)
{
    begin();
    coverage_note(&c, now + 10 * SECOND, now + 10 * SECOND, cpu + 10 * SECOND, true);
    coverage_chunk(&c, now + 2 * SECOND, now + 5 * SECOND, true);
    CHECK_INT(c.pending[0], 3 * SECOND);
}

static void an_interval_has_its_own_samples_however_many_wait(void)
{
    begin();
    for (int i = 0; i < COVERAGE_PENDING + 3; i++) {
        const int64_t start = now;
        now += SECOND;
        cpu += (int64_t)(i + 1) * SECOND;
        coverage_note(&c, now, now, cpu, true);
        coverage_chunk(&c, start, now, true);
    }
    for (int i = 0; i < COVERAGE_PENDING + 3; i++) /* the first three were forgotten */
        CHECK(!coverage_sampled(&c, i < 3 ? 0 : (int64_t)(i + 1) * SECOND, SAMPLE));
    CHECK_INT(c.run, COVERAGE_PENDING);
    CHECK(!coverage_sampled(&c, 0, SAMPLE)); /* no interval ended */
    CHECK_INT(c.converted, COVERAGE_PENDING + 3);
}

static void the_clock_of_a_process_is_read(void)
{
    c = (struct coverage){0};
    coverage_read(&c, getpid(), true);
    CHECK_INT(c.reading_count, 1);
    CHECK(c.readings[0].cpu_ns > 0);
    coverage_read(&c, getpid(), false); /* too soon */
    CHECK_INT(c.reading_count, 1);
    for (int i = 0; i < 2 * COVERAGE_READINGS; i++)
        coverage_read(&c, getpid(), true);
    CHECK_INT(c.reading_count, COVERAGE_READINGS);
}

int main(void)
{
    RUN(only_cpu_time_is_compared);
    RUN(no_samples_of_a_busy_process_are_a_problem_after_three_intervals);
    RUN(half_and_twice_are_problems_and_less_than_that_is_none);
    RUN(one_way_then_the_other_is_no_problem);
    RUN(an_idle_process_is_never_flagged);
    RUN(what_cannot_be_compared_is_ignored);
    RUN(a_clock_that_was_set_ignores_the_interval);
    RUN(an_interval_is_the_sum_of_its_chunks);
    RUN(times_between_readings_are_interpolated);
    RUN(an_interval_has_its_own_samples_however_many_wait);
    RUN(the_clock_of_a_process_is_read);
    return REPORT();
}
