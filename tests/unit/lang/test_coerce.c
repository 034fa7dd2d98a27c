#include "lang/coerce.h"

#include <errno.h>
#include <math.h>

#include "lang_test.h"

/* Each conversion by its name, what it made as text. */
static int converted(const char *to, struct value *v, struct buf *out, struct err *err)
{
    int64_t i = 0;
    uint64_t u = 0;
    double d = 0;
    bool b = false;
    int code = -ENOSYS;
    if (strcmp(to, "int") == 0 && (code = coerce_int(v, &i, err)) == 0)
        buf_printf(out, "%lld", (long long)i);
    if (strcmp(to, "uint") == 0 && (code = coerce_uint(v, &u, err)) == 0)
        buf_printf(out, "%llu", (unsigned long long)u);
    if (strcmp(to, "float") == 0 && (code = coerce_float(v, &d, err)) == 0)
        buf_printf(out, "%g", d);
    if (strcmp(to, "bool") == 0 && (code = coerce_bool(v, &b, err)) == 0)
        buf_puts(out, b ? "true" : "false");
    if (strcmp(to, "duration") == 0 && (code = coerce_duration(v, &i, err)) == 0)
        buf_printf(out, "%lld", (long long)i);
    if (strcmp(to, "text") == 0)
        code = coerce_text(v, out, err);
    if (strcmp(to, "word") == 0)
        code = coerce_word(v, out, err);
    if (strcmp(to, "secret") == 0)
        code = coerce_secret(v, out, err);
    return code;
}

static void check_good(const char *to, struct value *taken, const char *want)
{
    cleanup_value struct value *v = taken;
    cleanup_buf struct buf out = BUF_INIT(20);
    struct err err = {0};
    CHECK_INT(converted(to, v, &out, &err), 0);
    CHECK_STR(err.text, "");
    CHECK_STR(buf_cstr(&out), want);
}

static void check_bad(const char *to, struct value *taken, int code, const char *want)
{
    cleanup_value struct value *v = taken;
    cleanup_buf struct buf out = BUF_INIT(20);
    struct err err = {0};
    CHECK_INT(converted(to, v, &out, &err), code);
    CHECK_STR(err.text, want);
}

static void null_is_the_zero_value(void)
{
    check_good("int", value_null(), "0");
    check_good("uint", value_null(), "0");
    check_good("float", value_null(), "0");
    check_good("bool", value_null(), "false");
    check_good("duration", value_null(), "0");
    check_good("text", value_null(), "");
    check_good("word", value_null(), "");
    check_good("secret", value_null(), "");
}

static void strings_that_read_as_numbers_are_numbers(void)
{
    check_good("int", value_string(STR("-12")), "-12");
    check_good("float", value_string(STR("1.5")), "1.5");
    check_good("uint", value_optional_secret(STR("7"), false), "7");
    check_bad("int", value_string(STR("")), -EINVAL, "should be number, got string");
    check_bad("int", value_string(STR("1x")), -EINVAL, "should be number, got string");
    check_bad("int", value_string(STR("1\0")), -EINVAL, "should be number, got string");
    check_bad("int", value_optional_secret(STR("7"), true), -EINVAL, "should be number, got capsule");
}

static void what_would_change_on_its_way_is_out_of_range(void)
{
    const char *in = "is out of the range of a 64-bit integer";
    const char *un = "is out of the range of an unsigned 64-bit integer";
    check_good("int", value_int(INT64_MIN), "-9223372036854775808");
    check_good("int", value_uint(INT64_MAX), "9223372036854775807");
    check_good("int", value_float(-0x1p63), "-9223372036854775808");
    check_bad("int", value_uint((uint64_t)INT64_MAX + 1), -ERANGE, in);
    check_bad("int", value_float(0x1p63), -ERANGE, in);
    check_bad("int", value_float(INFINITY), -ERANGE, in);
    check_bad("int", value_float(NAN), -ERANGE, in);
    check_good("uint", value_uint(UINT64_MAX), "18446744073709551615");
    check_good("uint", value_float(-0.5), "0");
    check_bad("uint", value_int(-1), -ERANGE, un);
    check_bad("uint", value_float(-1), -ERANGE, un);
    check_bad("uint", value_float(0x1p64), -ERANGE, un);
    check_bad("uint", value_float(NAN), -ERANGE, un);
}

static void only_bools_are_bools(void)
{
    check_good("bool", value_bool(true), "true");
    check_bad("bool", value_int(1), -EINVAL, "should be bool, got number");
    check_bad("bool", value_string(STR("true")), -EINVAL, "should be bool, got string");
}

static void durations_are_short_texts(void)
{
    check_good("duration", value_string(STR("1m30s")), "90000000000");
    check_bad("duration", value_array(NULL, 0), -EINVAL, "should be string, got array");
    char many[300];
    memset(many, '0', sizeof many);
    check_bad("duration", value_string((struct str){many, sizeof many}), -EINVAL, "is too long for a duration");
}

static void a_word_that_is_cut_is_no_word(void)
{
    check_good("word", value_string(STR("01234567890123456789")), "01234567890123456789");
    check_bad("word", value_string(STR("012345678901234567890")), -EINVAL, "is longer than anything it can be");
    check_bad("word", value_string(STR("debug\0x")), -EINVAL, "contains a NUL byte");
    check_good("word", value_int(5), "5");
}

static void secrets_become_no_text(void)
{
    check_good("secret", value_secret(STR("s")), "s");
    check_good("secret", value_optional_secret(STR("s"), true), "s");
    check_good("secret", value_string(STR("s")), "s");
    check_good("text", value_optional_secret(STR("s"), false), "s");
    check_bad("text", value_secret(STR("s")), -EINVAL, "secrets may not be converted into strings");
    check_bad("text", value_optional_secret(STR("s"), true), -EINVAL, "secrets may not be converted into strings");
    check_bad("secret", value_int(1), -EINVAL, "should be capsule, got number");
}

static void capsules_say_what_they_are(void)
{
    static int nothing;
    static const struct capsule_type target = {.name = "target", .converter = "target"};
    check_bad("secret", value_capsule(&opaque_capsule, &nothing), -EINVAL,
              "expected capsule(\"alloytypes.Secret\"), got capsule(\"test.Opaque\")");
    check_bad("text", value_capsule(&opaque_capsule, &nothing), -EINVAL, "should be string, got capsule");
    check_bad("int", value_capsule(&target, &nothing), -EINVAL,
              "target::ConvertInto: conversion to '*int' is not supported");
    check_bad("bool", value_capsule(&target, &nothing), -EINVAL,
              "target::ConvertInto: conversion to '*bool' is not supported");
}

int main(void)
{
    RUN(null_is_the_zero_value);
    RUN(strings_that_read_as_numbers_are_numbers);
    RUN(what_would_change_on_its_way_is_out_of_range);
    RUN(only_bools_are_bools);
    RUN(durations_are_short_texts);
    RUN(a_word_that_is_cut_is_no_word);
    RUN(secrets_become_no_text);
    RUN(capsules_say_what_they_are);
    return REPORT();
}
