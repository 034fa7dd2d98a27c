/* JSON both ways. What the functions of the language make of it is in tests/lang/encoding.test. */
#include "lang/json.h"

#include <errno.h>
#include <math.h>

#include "lang_test.h"

static void check_way(const char *text, enum json_reading numbers, const char *want)
{
    cleanup_value struct value *v = NULL;
    cleanup_buf struct buf out = BUF_INIT(TEST_TEXT_MAX);
    struct err err = {0};
    CHECK_INT(json_read(str_of(text), numbers, &v, &err), 0);
    CHECK_STR(err.text, "");
    if (v)
        CHECK_INT(json_write(v, &out, &err), 0);
    CHECK_STR(buf_cstr(&out), want);
}

static void check_bad(struct str text, int code, const char *why)
{
    struct value *v = NULL;
    struct err err = {0};
    CHECK_INT(json_read(text, JSON_KEEP_INTEGERS, &v, &err), code);
    CHECK_HAS(err.text, why);
    CHECK(v == NULL);
}

static void values_come_back_as_they_were(void)
{
    check_way("null", JSON_KEEP_INTEGERS, "null");
    check_way(" [ true , false, [], {} ] ", JSON_KEEP_INTEGERS, "[true,false,[],{}]");
    check_way("{\"b\": 1, \"a\": {\"\": \"x\"}}", JSON_KEEP_INTEGERS, "{\"a\":{\"\":\"x\"},\"b\":1}");
    check_way("{\"a\": 1, \"a\": 2}", JSON_KEEP_INTEGERS, "{\"a\":2}");
}

static void integers_are_kept_where_they_fit(void)
{
    check_way("[9223372036854775807, -9223372036854775808]", JSON_KEEP_INTEGERS,
              "[9223372036854775807,-9223372036854775808]");
    check_way("[9223372036854775808]", JSON_KEEP_INTEGERS, "[9223372036854776000]");
    check_way("[1e2, 1.0]", JSON_KEEP_INTEGERS, "[100,1]");
    cleanup_value struct value *v = NULL;
    struct err err = {0};
    CHECK_INT(json_read(STR("[1]"), JSON_ALL_FLOATS, &v, &err), 0);
    CHECK(v && value_number_kind(value_item(v, 0)) == NUMBER_FLOAT);
}

static void a_member_named_with_a_nul_is_kept(void)
{
    cleanup_value struct value *v = NULL;
    struct err err = {0};
    const int code = json_read(STR("{\"k\": \"a\\u0000b\"}"), JSON_KEEP_INTEGERS, &v, &err);
    CHECK_INT(code, 0);
    if (code == 0)
        CHECK_INT(value_as_str(value_member(v, STR("k"))).n, 3);
}

static void broken_text_is_refused_with_its_place(void)
{
    check_bad(STR(""), -EINVAL, "line 1, column 0");
    check_bad((struct str){NULL, 0}, -EINVAL, "line 1, column 0");
    check_bad(STR("[1,\n2,]"), -EINVAL, "line 2, column 3");
    check_bad(STR("[1] x"), -EINVAL, "line 1");
    check_bad(STR("\"\xff\""), -EINVAL, "line 1");
    check_bad(STR("[1e999]"), -EINVAL, "line 1");
    check_bad(STR("{\"a\" 1}"), -EINVAL, "line 1");
}

static void errors_quote_nothing_where_that_is_asked_for(void)
{
    cleanup_value struct value *v = NULL;
    struct err quoting = {0}, not_quoting = {0};
    const struct str text = STR("{\"a\": secret}");
    CHECK_INT(json_read(text, JSON_KEEP_INTEGERS, &v, &quoting), -EINVAL);
    CHECK_HAS(quoting.text, "secret");
    CHECK_INT(json_read(text, JSON_KEEP_INTEGERS | JSON_QUOTE_NOTHING, &v, &not_quoting), -EINVAL);
    CHECK_STR(not_quoting.text, "line 1, column 12: invalid token");
}

static void sizes_are_bounded_before_anything_is_built(void)
{
    cleanup_free char *text = xmalloc(JSON_TEXT_MAX + 1);
    memset(text, ' ', JSON_TEXT_MAX + 1);
    check_bad((struct str){text, JSON_TEXT_MAX + 1}, -E2BIG, "more than 4194304 bytes");
    memset(text, ',', JSON_VALUES_MAX + 8);
    text[0] = '[';
    check_bad((struct str){text, JSON_VALUES_MAX + 8}, -E2BIG, "more than 262144 values");
    memset(text, '[', 100000);
    check_bad((struct str){text, 100000}, -EINVAL, "depth");
}

static void check_text(struct value *taken, const char *want)
{
    cleanup_value struct value *v = taken;
    cleanup_buf struct buf out = BUF_INIT(TEST_TEXT_MAX);
    struct err err = {0};
    CHECK_INT(json_write(v, &out, &err), 0);
    CHECK_STR(buf_cstr(&out), want);
}

static void strings_are_safe_inside_html(void)
{
    check_text(value_string(STR("</script>&\"\\\n\x01\x7f")), "\"\\u003c/script\\u003e\\u0026\\\"\\\\\\n\\u0001\x7f\"");
    check_text(value_string(STR("\xe2\x80\xa8\xe2\x80\xa9")), "\"\\u2028\\u2029\"");
    check_text(value_string(STR("a\0\xff\xc3\xa9")), "\"a\\u0000\\ufffd\xc3\xa9\"");
}

static void floats_are_written_as_the_reference_does(void)
{
    check_text(value_float(1e20), "100000000000000000000");
    check_text(value_float(1e21), "1e+21");
    check_text(value_float(1e-6), "0.000001");
    check_text(value_float(1e-7), "1e-7");
    check_text(value_float(1.5e-10), "1.5e-10");
    check_text(value_float(-0.0), "-0");
    check_text(value_uint(UINT64_MAX), "18446744073709551615");
}

static void check_unwritable(struct value *taken, const char *why)
{
    cleanup_value struct value *v = value_array((struct value *[]){value_int(1), taken}, 2);
    cleanup_buf struct buf out = BUF_INIT(TEST_TEXT_MAX);
    struct err err = {0};
    CHECK_INT(json_write(v, &out, &err), -EINVAL);
    CHECK_STR(err.text, why);
}

static void what_json_cannot_say_is_refused(void)
{
    static int nothing;
    check_unwritable(value_float(NAN), "json: unsupported value: NaN");
    check_unwritable(value_float(INFINITY), "json: unsupported value: +Inf");
    check_unwritable(value_capsule(&opaque_capsule, &nothing), "json: unsupported type: capsule(\"test.Opaque\")");
    check_unwritable(value_secret(STR("s3cr3t")), "secrets may not be converted into strings");
    check_unwritable(value_optional_secret(STR("s3cr3t"), true), "secrets may not be converted into strings");
    check_text(value_optional_secret(STR("open"), false), "\"open\"");
    check_text(value_capsule(&widget_capsule, &nothing), "{\"color\":\"red\"}");
}

int main(void)
{
    RUN(values_come_back_as_they_were);
    RUN(integers_are_kept_where_they_fit);
    RUN(a_member_named_with_a_nul_is_kept);
    RUN(broken_text_is_refused_with_its_place);
    RUN(errors_quote_nothing_where_that_is_asked_for);
    RUN(sizes_are_bounded_before_anything_is_built);
    RUN(strings_are_safe_inside_html);
    RUN(floats_are_written_as_the_reference_does);
    RUN(what_json_cannot_say_is_refused);
    return REPORT();
}
