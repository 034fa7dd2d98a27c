#include "lang/duration.h"

#include <errno.h>

#include "lang_test.h"

static void durations_parse_and_print_as_in_go(void)
{
    static const struct {
        const char *text, *printed;
        int64_t ns;
    } cases[] = {
        {"0", "0s", 0},
        {"-0", "0s", 0},
        {"1ns", "1ns", 1},
        {"1.5us", "1.5\xc2\xb5s", 1500},
        {"1\xc2\xb5s", "1\xc2\xb5s", 1000},
        {"1\xce\xbcs", "1\xc2\xb5s", 1000},
        {"100ms", "100ms", 100000000},
        {".5s", "500ms", 500000000},
        {"1.s", "1s", 1000000000},
        {"60s", "1m0s", 60000000000},
        {"1h30m", "1h30m0s", 5400000000000},
        {"-1m1.5s", "-1m1.5s", -61500000000},
        {"+15s", "15s", 15000000000},
        {"0.1s", "100ms", 100000000},
        {"2562047h47m16.854775807s", "2562047h47m16.854775807s", INT64_MAX},
        {"-9223372036854775808ns", "-2562047h47m16.854775808s", INT64_MIN},
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        int64_t ns = -1;
        struct err err = {0};
        cleanup_buf struct buf out = BUF_INIT(100);
        CHECK_INT(duration_parse(str_of(cases[i].text), &ns, &err), 0);
        CHECK_INT(ns, cases[i].ns);
        duration_print(ns, &out);
        CHECK_STR(buf_cstr(&out), cases[i].printed);
    }
}

static void what_is_no_duration_is_refused_in_the_words_of_go(void)
{
    static const struct {
        const char *text, *error;
    } cases[] = {
        {"", "time: invalid duration \"\""},
        {"-", "time: invalid duration \"-\""},
        {"5", "time: missing unit in duration \"5\""},
        {"1d", "time: unknown unit \"d\" in duration \"1d\""},
        {"1m2x", "time: unknown unit \"x\" in duration \"1m2x\""},
        {".s", "time: invalid duration \".s\""},
        {"1s ", "time: unknown unit \"s \" in duration \"1s \""},
        {"--1s", "time: invalid duration \"--1s\""},
        {"9223372036854775808ns", "time: invalid duration \"9223372036854775808ns\""},
        {"3000000h", "time: invalid duration \"3000000h\""},
        {"99999999999999999999s", "time: invalid duration \"99999999999999999999s\""},
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        int64_t ns = -1;
        struct err err = {0};
        CHECK_INT(duration_parse(str_of(cases[i].text), &ns, &err), -EINVAL);
        CHECK_STR(err.text, cases[i].error);
        CHECK_INT(ns, -1);
    }
}

int main(void)
{
    RUN(durations_parse_and_print_as_in_go);
    RUN(what_is_no_duration_is_refused_in_the_words_of_go);
    return REPORT();
}
