#include "base/json.h"

#include <math.h>
#include <stdlib.h>

#include "base/cleanup.h"
#include "test.h"

static void check_string(struct str s, const char *want)
{
    cleanup_buf struct buf out = BUF_INIT(1 << 12);
    json_string(&out, s);
    CHECK_STR(buf_cstr(&out), want);
}

static void what_ends_or_confuses_a_string_is_escaped(void)
{
    check_string(STR(""), "\"\"");
    check_string((struct str){NULL, 0}, "\"\"");
    check_string(STR("a\"b\\c/d"), "\"a\\\"b\\\\c/d\"");
    check_string(STR("\0\x01\t\n\x1f\x7f"), "\"\\u0000\\u0001\\u0009\\u000a\\u001f\\u007f\"");
}

static void what_is_no_utf8_becomes_the_replacement(void)
{
    check_string(STR("\xc3\xa9\xf0\x9f\x94\xa5"), "\"\xc3\xa9\xf0\x9f\x94\xa5\"");
    check_string(STR("a\xff"
                     "b"),
                 "\"a\xef\xbf\xbd"
                 "b\"");
    check_string(STR("\xc3"), "\"\xef\xbf\xbd\"");
    check_string(STR("\xc0\x80"), "\"\xef\xbf\xbd\xef\xbf\xbd\"");                 /* a NUL, too long */
    check_string(STR("\xed\xa0\x80"), "\"\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd\""); /* half a pair */
    check_string(STR("\xf4\x90\x80\x80"), "\"\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd\"");
}

static void names_are_strings_and_a_colon(void)
{
    cleanup_buf struct buf out = BUF_INIT(1 << 12);
    json_name(&out, "a\"b");
    CHECK_STR(buf_cstr(&out), "\"a\\\"b\":");
}

static void check_double(double d, const char *want)
{
    cleanup_buf struct buf out = BUF_INIT(1 << 12);
    json_double(&out, d);
    CHECK_STR(buf_cstr(&out), want);
}

static void numbers_read_back_equal(void)
{
    check_double(0, "0");
    check_double(-3, "-3");
    check_double(9007199254740991.0, "9007199254740991");
    static const double others[] = {0.1, 1.0 / 3, 1e300, 5e-324, 9007199254740993.0, -2.5, 1.7976931348623157e308};
    for (size_t i = 0; i < ARRAY_LEN(others); i++) {
        cleanup_buf struct buf out = BUF_INIT(1 << 12);
        json_double(&out, others[i]);
        CHECK(strtod(buf_cstr(&out), NULL) == others[i]);
    }
}

static void what_json_cannot_say_is_null(void)
{
    check_double(NAN, "null");
    check_double(INFINITY, "null");
    check_double(-INFINITY, "null");
}

int main(void)
{
    RUN(what_ends_or_confuses_a_string_is_escaped);
    RUN(what_is_no_utf8_becomes_the_replacement);
    RUN(names_are_strings_and_a_colon);
    RUN(numbers_read_back_equal);
    RUN(what_json_cannot_say_is_null);
    return REPORT();
}
