#include "pyroscope/time_text.h"

#include "base/clock.h"
#include "test.h"

#define NOW (INT64_C(1700000000) * NS_PER_SEC)

static int64_t seconds(const char *text)
{
    return time_text_parse(str_of(text), NOW) / NS_PER_SEC;
}

static void the_number_of_digits_is_the_unit(void)
{
    CHECK_INT(seconds("1600000000"), 1600000000);
    CHECK_INT(seconds("1600000000000"), 1600000000);
    CHECK_INT(seconds("1600000000000000"), 1600000000);
    CHECK_INT(seconds("1600000000000000000"), 1600000000);
    CHECK_INT(seconds("20200913"), 1599955200);
    CHECK_INT(seconds("99999999"), 99999999); /* no day */
    CHECK_INT(seconds("5"), 5);
}

static void times_are_relative_to_now(void)
{
    CHECK_INT(seconds("now"), 1700000000);
    CHECK_INT(seconds("now-90s"), 1700000000 - 90);
    CHECK_INT(seconds("now-1h"), 1700000000 - 3600);
    CHECK_INT(seconds("now+2m"), 1700000000 + 120);
    CHECK_INT(seconds("now-1mon"), 1700000000 - 30 * 86400);
    CHECK_INT(seconds("now-1y"), 1700000000 - 365 * 86400);
}

static void anything_else_is_now(void)
{
    static const char *const texts[] = {
        "", "now-", "now-1", "now-1x", "now-h", "-5", "banana", "1.5", "now -1h", "now--1h", "now-99999999999999h"};
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++)
        CHECK_INT(seconds(texts[i]), 1700000000);
    CHECK_INT(seconds("now-100y"), 0);
    CHECK(time_text_parse(STR("9999999999999999"), NOW) > 0);
}

int main(void)
{
    RUN(the_number_of_digits_is_the_unit);
    RUN(times_are_relative_to_now);
    RUN(anything_else_is_now);
    return REPORT();
}
