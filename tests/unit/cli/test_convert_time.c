#include "cli/convert_time.h"

#include <errno.h>

#include "test.h"

static void check_time(const char *text, int64_t want)
{
    int64_t ns = -1;
    struct err err = {0};
    CHECK_INT(time_read("from", text, &ns, &err), 0);
    CHECK_INT(ns, want);
}

static void times_are_dates_or_seconds(void)
{
    check_time("2023-11-14T22:13:20Z", 1700000000000000000);
    check_time("2023-11-14 22:13:20.25Z", 1700000000250000000);
    check_time("2023-11-15t00:13:20+02:00", 1700000000000000000);
    check_time("2023-11-14T20:43:20.123456789999-01:30", 1700000000123456789);
    check_time("1700000000", 1700000000000000000);
    check_time("1700000000.5", 1700000000500000000);
    check_time("0", 0);
    check_time("", -1);
}

static void everything_else_is_refused_with_an_example(void)
{
    static const char *const bad[] = {"yesterday",
                                      "2023-11-14",
                                      "2023-11-14T22:13:20",
                                      "2023-11-14T22:13:20+2",
                                      "12h",
                                      "-5",
                                      "1.",
                                      "99999999999999999999",
                                      "1969-01-01T00:00:00Z",
                                      "2023-11-14T22:13:20+99:00",
                                      "9999-01-01T00:00:00Z"};
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        int64_t ns = 7;
        struct err err = {0};
        CHECK_INT(time_read("to", bad[i], &ns, &err), -EINVAL);
        CHECK_HAS(err.text, "--to=");
        CHECK_HAS(err.text, "2026-01-31T12:00:00Z");
        CHECK_INT(ns, 7);
    }
}

int main(void)
{
    RUN(times_are_dates_or_seconds);
    RUN(everything_else_is_refused_with_an_example);
    return REPORT();
}
