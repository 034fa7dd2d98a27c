/* What a YAML scalar means. Where the text cases in tests/lang/yaml.test show whole documents, this goes through the
 * edges. */
#include "lang/yaml_scalar.h"

#include <errno.h>
#include <math.h>

#include "lang/value_print.h"
#include "lang_test.h"

/* "int 5", "float 0.5", "string x", as JSON does not tell them apart. */
static void describe(const struct value *v, struct buf *out)
{
    static const char *const numbers[] = {[NUMBER_INT] = "int", [NUMBER_UINT] = "uint", [NUMBER_FLOAT] = "float"};
    if (!v)
        return;
    buf_puts(out, value_kind(v) == VALUE_NUMBER ? numbers[value_number_kind(v)] : value_kind_name(value_kind(v)));
    buf_byte(out, ' ');
    value_print(v, out);
}

static void check(const char *tag, bool plain, const char *text, const char *want)
{
    cleanup_value struct value *v = NULL;
    cleanup_buf struct buf out = BUF_INIT(TEST_TEXT_MAX);
    struct err err = {0};
    CHECK_INT(yaml_scalar(tag, plain, str_of(text), &v, &err), 0);
    describe(v, &out);
    CHECK_STR(buf_cstr(&out), want);
}
#define PLAIN(text, want) check(NULL, true, text, want)

static void check_bad(const char *tag, const char *text, const char *why)
{
    struct value *v = NULL;
    struct err err = {0};
    CHECK_INT(yaml_scalar(tag, true, str_of(text), &v, &err), -EINVAL);
    CHECK_STR(err.text, why);
    CHECK(v == NULL);
}

static void words_mean_what_the_reference_takes_them_for(void)
{
    static const char *const nulls[] = {"", "~", "null", "Null", "NULL"};
    for (size_t i = 0; i < ARRAY_LEN(nulls); i++)
        PLAIN(nulls[i], "null null");
    PLAIN("true", "bool true");
    PLAIN("False", "bool false");
    static const char *const strings[] = {"yes", "no", "on", "off", "nULL", "tRUE", "y", "n"};
    for (size_t i = 0; i < ARRAY_LEN(strings); i++) {
        cleanup_free char *want = xasprintf("string \"%s\"", strings[i]);
        PLAIN(strings[i], want);
    }
}

static void quotes_make_strings(void)
{
    check(NULL, false, "5", "string \"5\"");
    check("!", true, "5", "int 5");
    check("!", false, "true", "string \"true\"");
    check("tag:yaml.org,2002:str", true, "5", "string \"5\"");
}

static void integers_of_all_bases_up_to_their_ends(void)
{
    PLAIN("0", "int 0");
    PLAIN("-0", "int 0");
    PLAIN("+12", "int 12");
    PLAIN("1_000_000", "int 1000000");
    PLAIN("0x1F", "int 31");
    PLAIN("0o17", "int 15");
    PLAIN("017", "int 15");
    PLAIN("0b101", "int 5");
    PLAIN("-0x10", "int -16");
    PLAIN("9223372036854775807", "int 9223372036854775807");
    PLAIN("-9223372036854775808", "int -9223372036854775808");
    PLAIN("9223372036854775808", "uint 9223372036854775808");
    PLAIN("18446744073709551615", "uint 18446744073709551615");
    PLAIN("0xffffffffffffffff", "uint 18446744073709551615");
    PLAIN("18446744073709551616", "float 18446744073709552000");
    PLAIN("-9223372036854775809", "float -9223372036854776000");
}

static void what_only_begins_like_a_number_is_a_string(void)
{
    static const char *const strings[] = {"0x",  "0xg", "0b2", "1.2.3", "1e",    "1e+",  "+",     "-",
                                          ".",   "-.",  "e5",  "1 2",   "0x1.8", "1__x", "..5",   "1.5.",
                                          "+-1", "08x", "inf", "nan",   "+inf",  "0o8",  "1e999", "1e5e5"};
    for (size_t i = 0; i < ARRAY_LEN(strings); i++) {
        cleanup_value struct value *v = NULL;
        struct err err = {0};
        CHECK_INT(yaml_scalar(NULL, true, str_of(strings[i]), &v, &err), 0);
        if (!v || value_kind(v) != VALUE_STRING || !str_is(value_as_str(v), strings[i]))
            FAIL_("%s is no string", strings[i]);
    }
}

static void floats_and_those_that_are_none(void)
{
    PLAIN("1.5", "float 1.5");
    PLAIN(".5", "float 0.5");
    PLAIN("5.", "float 5");
    PLAIN("-1.5e-3", "float -0.0015");
    PLAIN("1_0.5", "float 10.5");
    PLAIN("1e3", "float 1000");
    PLAIN(".inf", "float +Inf");
    PLAIN("-.Inf", "float -Inf");
    PLAIN(".NaN", "float NaN");
}

static void a_number_of_hundreds_of_digits_is_bounded(void)
{
    char digits[600];
    memset(digits, '1', sizeof digits - 1);
    digits[sizeof digits - 1] = '\0';
    cleanup_value struct value *v = NULL;
    struct err err = {0};
    CHECK_INT(yaml_scalar(NULL, true, str_of(digits), &v, &err), 0);
    CHECK_INT(value_kind(v), VALUE_STRING);
}

static void times_become_rfc_3339(void)
{
    PLAIN("2001-12-14", "string \"2001-12-14T00:00:00Z\"");
    PLAIN("2001-2-3 4:5:6", "string \"2001-02-03T04:05:06Z\"");
    PLAIN("2001-12-14T21:59:43.1000Z", "string \"2001-12-14T21:59:43.1Z\"");
    PLAIN("2001-12-14t21:59:43.123456789123-05:00", "string \"2001-12-14T21:59:43.123456789-05:00\"");
    PLAIN("2001-12-14T21:59:43+00:00", "string \"2001-12-14T21:59:43Z\"");
    PLAIN("2000-02-29", "string \"2000-02-29T00:00:00Z\"");
}

static void dates_that_never_were_are_strings(void)
{
    PLAIN("1900-02-29", "string \"1900-02-29\"");
    PLAIN("2001-13-01", "string \"2001-13-01\"");
    PLAIN("2001-00-01", "string \"2001-00-01\"");
    PLAIN("2001-04-31", "string \"2001-04-31\"");
    PLAIN("2001-01-01 24:00:00", "string \"2001-01-01 24:00:00\"");
    PLAIN("2001-01-01T01:02:03", "string \"2001-01-01T01:02:03\"");
    PLAIN("2001-01-01 01:02:03.", "string \"2001-01-01 01:02:03.\"");
    PLAIN("2001-01-01 01:02:03Z x", "string \"2001-01-01 01:02:03Z x\"");
    PLAIN("20001-01-01", "string \"20001-01-01\"");
}

static void tags_ask_for_a_kind(void)
{
    check("tag:yaml.org,2002:float", true, "5", "float 5");
    check("tag:yaml.org,2002:int", true, "0x10", "int 16");
    check("tag:yaml.org,2002:null", true, "~", "null null");
    check("tag:yaml.org,2002:binary", true, "Zm9v\nYg==", "string \"foob\"");
    check("!mine", true, "5", "string \"5\"");
    check_bad("tag:yaml.org,2002:int", "x", "cannot decode !!str `x` as a !!int");
    check_bad("tag:yaml.org,2002:bool", "1", "cannot decode !!int `1` as a !!bool");
    check_bad("tag:yaml.org,2002:int", "1.5", "cannot decode !!float `1.5` as a !!int");
    check_bad("tag:yaml.org,2002:binary", "Z", "!!binary value contains invalid base64 data");
    check_bad("tag:yaml.org,2002:int", "", "cannot decode !!null `` as a !!int");
}

static void a_message_shows_a_part_of_a_long_text(void)
{
    char text[1000];
    memset(text, 'x', sizeof text - 1);
    text[sizeof text - 1] = '\0';
    struct value *v = NULL;
    struct err err = {0};
    CHECK_INT(yaml_scalar("tag:yaml.org,2002:int", true, str_of(text), &v, &err), -EINVAL);
    CHECK(strlen(err.text) < 120);
}

int main(void)
{
    RUN(words_mean_what_the_reference_takes_them_for);
    RUN(quotes_make_strings);
    RUN(integers_of_all_bases_up_to_their_ends);
    RUN(what_only_begins_like_a_number_is_a_string);
    RUN(floats_and_those_that_are_none);
    RUN(a_number_of_hundreds_of_digits_is_bounded);
    RUN(times_become_rfc_3339);
    RUN(dates_that_never_were_are_strings);
    RUN(tags_ask_for_a_kind);
    RUN(a_message_shows_a_part_of_a_long_text);
    return REPORT();
}
