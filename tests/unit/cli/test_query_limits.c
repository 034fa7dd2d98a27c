#include "cli/query_limits.h"

#include <errno.h>

#include "test.h"

static void numbers_and_a_duration_are_read(void)
{
    struct err err = {0};
    struct store_limits l = {0};
    CHECK_INT(query_limits_parse(&(struct query_limit_flags){"7", "8", "9", "1m30s", "2MiB"}, &l, &err), 0);
    CHECK_INT(l.series, 7);
    CHECK_INT(l.profiles, 8);
    CHECK_INT(l.nodes, 9);
    CHECK_INT(l.ms, 90000);
    CHECK_INT(l.memory, 2 << 20);
}

static void errors_name_the_flag(void)
{
    struct err err = {0};
    struct store_limits l = {.series = 5};
    CHECK_INT(query_limits_parse(&(struct query_limit_flags){"0", "8", "9", "1s", "2MiB"}, &l, &err), -EINVAL);
    CHECK_STR(err.text, "--store.query-series=0: expected a number from 1 to 1073741824");
    CHECK_INT(query_limits_parse(&(struct query_limit_flags){"1", "x", "9", "1s", "2MiB"}, &l, &err), -EINVAL);
    CHECK_HAS(err.text, "--store.query-profiles=x");
    CHECK_INT(query_limits_parse(&(struct query_limit_flags){"1", "1", "-9", "1s", "2MiB"}, &l, &err), -EINVAL);
    CHECK_HAS(err.text, "--store.query-nodes=-9");
    CHECK_INT(query_limits_parse(&(struct query_limit_flags){"1", "1", "1", "20", "2MiB"}, &l, &err), -EINVAL);
    CHECK_STR(err.text, "--store.query-timeout=20: expected a duration such as 20s");
    CHECK_INT(query_limits_parse(&(struct query_limit_flags){"1", "1", "1", "1us", "2MiB"}, &l, &err), -EINVAL);
    CHECK_INT(query_limits_parse(&(struct query_limit_flags){"1", "1", "1", "1s", "1023KiB"}, &l, &err), -EINVAL);
    CHECK_STR(err.text, "--store.query-memory=1023KiB: expected a size from 1MiB to 1GiB");
    CHECK_INT(query_limits_parse(&(struct query_limit_flags){"1", "1", "1", "1s", "2GiB"}, &l, &err), -EINVAL);
    CHECK_INT(l.series, 5);
}

int main(void)
{
    RUN(numbers_and_a_duration_are_read);
    RUN(errors_name_the_flag);
    return REPORT();
}
