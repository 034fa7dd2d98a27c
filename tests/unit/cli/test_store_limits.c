#include "cli/store_limits.h"

#include <errno.h>

#include "base/cleanup.h"
#include "test.h"

static void durations_may_have_weeks_and_days(void)
{
    static const struct {
        const char *text;
        int64_t seconds;
    } table[] = {{"7d", 7 * 86400},    {"1w", 7 * 86400},       {"1w2d", 9 * 86400},
                 {"1d12h", 36 * 3600}, {"36h", 36 * 3600},      {"60s", 60},
                 {"1h30m", 5400},      {"400d", 400LL * 86400}, {"2w1d1m", 15 * 86400 + 60}};
    for (size_t i = 0; i < ARRAY_LEN(table); i++) {
        struct err err = {0};
        int64_t got = 0;
        CHECK_INT(store_keep_parse(table[i].text, &got, &err), 0);
        CHECK_INT(got, table[i].seconds);
    }
}

static void what_is_no_duration_is_refused(void)
{
    static const char *const table[] = {"",     "7",        "d",    "7days", "-7d", "7d-1h",
                                        "1.5d", "9999999d", "2d1w", "7d ",   "0.1x"};
    for (size_t i = 0; i < ARRAY_LEN(table); i++) {
        struct err err = {0};
        int64_t got;
        if (store_keep_parse(table[i], &got, &err) != -EINVAL)
            FAIL_("%s is taken", table[i]);
        CHECK_HAS(err.text, "is no duration, such as 7d");
    }
    struct err err = {0};
    int64_t got;
    CHECK_INT(store_keep_parse("59s", &got, &err), -EINVAL);
    CHECK_HAS(err.text, "less than a minute");
    CHECK_INT(store_keep_parse("0d", &got, &err), -EINVAL);
}

static void sizes_have_units(void)
{
    struct err err = {0};
    int64_t got = 0;
    CHECK_INT(store_size_parse("20GiB", &got, &err), 0);
    CHECK_INT(got, INT64_C(20) << 30);
    CHECK_INT(store_size_parse("1m", &got, &err), 0);
    CHECK_INT(got, 1 << 20);
    CHECK_INT(store_size_parse("1000", &got, &err), -EINVAL);
    CHECK_HAS(err.text, "less than 1MiB");
    CHECK_INT(store_size_parse("much", &got, &err), -EINVAL);
    CHECK_HAS(err.text, "--store.max-size=much is no size");
}

static void the_cache_may_be_none(void)
{
    struct err err = {0};
    int64_t got = 0;
    CHECK_INT(store_cache_parse("32MiB", &got, &err), 0);
    CHECK_INT(got, 32 << 20);
    CHECK_INT(store_cache_parse("0", &got, &err), 0);
    CHECK_INT(got, -1);
    CHECK_INT(store_cache_parse("few", &got, &err), -EINVAL);
    CHECK_HAS(err.text, "--store.cache=few is no size");
}

int main(void)
{
    RUN(durations_may_have_weeks_and_days);
    RUN(what_is_no_duration_is_refused);
    RUN(sizes_have_units);
    RUN(the_cache_may_be_none);
    return REPORT();
}
