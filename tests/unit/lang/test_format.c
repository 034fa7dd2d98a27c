/* string.format where the text cases in tests/lang/string_format.test do not reach: bounds, formats that end early,
 * secrets. */
#include "lang/format.h"

#include <math.h>

#include "lang_test.h"

static void check_slice(struct str format, struct value *const *args, size_t n, const char *want)
{
    /* A copy that ends where the format ends, so that a sanitizer sees every byte read beyond it. */
    cleanup_free char *exact = xmalloc(format.n + !format.n);
    if (format.n)
        memcpy(exact, format.p, format.n);
    cleanup_buf struct buf out = BUF_INIT(TEST_TEXT_MAX);
    format_go((struct str){exact, format.n}, args, n, &out);
    CHECK_STR(buf_cstr(&out), want);
    for (size_t i = 0; i < n; i++)
        value_unref(args[i]);
}

#define CHECK_FORMAT(format, want, ...)                                                                                \
    do {                                                                                                               \
        struct value *args_[] = {__VA_ARGS__ __VA_OPT__(, ) NULL};                                                     \
        check_slice(str_of(format), args_, ARRAY_LEN(args_) - 1, want);                                                \
    } while (0)

static void formats_that_end_early_read_nothing_beyond(void)
{
    CHECK_FORMAT("", "");
    CHECK_FORMAT("%", "%!(NOVERB)");
    CHECK_FORMAT("%+-# 0", "%!(NOVERB)");
    CHECK_FORMAT("%5", "%!(NOVERB)");
    CHECK_FORMAT("%5.", "%!(NOVERB)");
    CHECK_FORMAT("%.", "%!(NOVERB)");
    CHECK_FORMAT("%[", "%!(NOVERB)");
    CHECK_FORMAT("%[1]", "%!(NOVERB)", value_int(1));
    CHECK_FORMAT("%*", "%!(NOVERB)", value_int(3));
    CHECK_FORMAT("%.*", "%!(NOVERB)", value_int(3));
    check_slice((struct str){"a\0%", 3}, NULL, 0, "a");
}

static void a_cut_character_is_a_verb_that_nothing_has(void)
{
    CHECK_FORMAT("%\xc3", "%!\xef\xbf\xbd(int=1)", value_int(1));
    CHECK_FORMAT("%\xe2\x82\xac", "%!\xe2\x82\xac(int=1)", value_int(1));
}

static void sizes_beyond_the_limit_are_no_sizes(void)
{
    /* The rest of the format goes with a number that is too large, as in Go. */
    CHECK_FORMAT("%99999999999999999999d", "%!(NOVERB)%!(EXTRA int=1)", value_int(1));
    CHECK_FORMAT("%*d", "%!(BADWIDTH)7", value_int(1000001), value_int(7));
    CHECK_FORMAT("%*d", "%!(BADWIDTH)7", value_int(INT64_MIN), value_int(7));
    CHECK_FORMAT("%*d", "%!(BADWIDTH)7", value_string(STR("5")), value_int(7));
    CHECK_FORMAT("%.*d", "%!(BADPREC)7", value_int(-1), value_int(7));
    CHECK_FORMAT("%.*d", "%!(BADPREC)7", value_int(INT64_MAX), value_int(7));
    CHECK_FORMAT("%*d", "%!(BADWIDTH)%!d(MISSING)");
}

static void what_is_written_stays_within_its_bound(void)
{
    struct value *args[] = {value_int(1000000), value_int(7)};
    cleanup_buf struct buf out = BUF_INIT(1000);
    format_go(STR("%0*d and more"), args, 2, &out);
    CHECK(!buf_ok(&out));
    CHECK(out.len <= 1000);
    cleanup_buf struct buf wide = BUF_INIT(4 << 20);
    format_go(STR("%*d|%-*d|%0*d"), (struct value *[]){args[0], args[1], args[0], args[1], args[0], args[1]}, 6, &wide);
    CHECK(buf_ok(&wide));
    CHECK_INT(wide.len, 3 * 1000000 + 2);
    value_unref(args[0]);
    value_unref(args[1]);
}

static void indexes_have_to_exist(void)
{
    CHECK_FORMAT("%[2]d %[1]d", "2 1", value_int(1), value_int(2));
    CHECK_FORMAT("%[0]d", "%!d(BADINDEX)", value_int(1));
    CHECK_FORMAT("%[-1]d", "%!d(BADINDEX)", value_int(1));
    CHECK_FORMAT("%[x]d", "%!d(BADINDEX)", value_int(1));
    CHECK_FORMAT("%[99999999999999999999]d", "%!d(BADINDEX)", value_int(1));
    CHECK_FORMAT("%[2]*[1]d|", "    1|", value_int(1), value_int(5));
    CHECK_FORMAT("%[1]5d", "%!d(BADINDEX)", value_int(1));
}

static void arguments_too_many_or_too_few_are_told(void)
{
    CHECK_FORMAT("%d %d", "1 %!d(MISSING)", value_int(1));
    CHECK_FORMAT("", "%!(EXTRA int=1, string=a, <nil>, uint64=2)", value_int(1), value_string(STR("a")), value_null(),
                 value_uint(2));
    CHECK_FORMAT("%[1]d", "1", value_int(1), value_int(2));
}

static void integers_at_their_ends(void)
{
    CHECK_FORMAT("%d %d", "-9223372036854775808 18446744073709551615", value_int(INT64_MIN), value_uint(UINT64_MAX));
    CHECK_FORMAT("%b", "-1000000000000000000000000000000000000000000000000000000000000000", value_int(INT64_MIN));
    CHECK_FORMAT("%x %X", "ffffffffffffffff 7FFFFFFFFFFFFFFF", value_uint(UINT64_MAX), value_int(INT64_MAX));
    CHECK_FORMAT("%c|%c|%U", "\xef\xbf\xbd|\xef\xbf\xbd|U+D800", value_int(0xd800), value_int(INT64_MAX),
                 value_int(0xd800));
}

static void floats_at_their_ends(void)
{
    CHECK_FORMAT("%v %v", "1.7976931348623157e+308 5e-324", value_float(1.7976931348623157e308), value_float(5e-324));
    CHECK_FORMAT("%5.1f|%v|%+v", " +Inf|-Inf|NaN", value_float(INFINITY), value_float(-INFINITY), value_float(NAN));
    CHECK_FORMAT("%v %.0f", "-0 -0", value_float(-0.0), value_float(-0.0));
    cleanup_buf struct buf out = BUF_INIT(TEST_TEXT_MAX);
    struct value *f = value_float(1.7976931348623157e308);
    format_go(STR("%f"), &f, 1, &out);
    CHECK_INT(out.len, 309 + 7);
    value_unref(f);
}

static void secrets_are_never_shown(void)
{
    static const char *const formats[] = {"%v", "%s", "%q", "%x", "%d", "%#v", "%T", "%10.3s", "", "%U"};
    for (size_t i = 0; i < ARRAY_LEN(formats); i++) {
        struct value *args[] = {value_secret(STR("s3cr3t")), value_optional_secret(STR("s3cr3t"), true)};
        for (size_t k = 0; k < ARRAY_LEN(args); k++) {
            cleanup_buf struct buf out = BUF_INIT(TEST_TEXT_MAX);
            struct value *list = value_array((struct value *[]){value_ref(args[k])}, 1);
            format_go(str_of(formats[i]), (struct value *[]){args[k], list}, 2, &out);
            if (strstr(buf_cstr(&out), "s3") || strstr(buf_cstr(&out), "7333"))
                FAIL_("%s shows %s", formats[i], buf_cstr(&out));
            value_unref(list);
            value_unref(args[k]);
        }
    }
    CHECK_FORMAT("%v %s", "(secret) open", value_secret(STR("x")), value_optional_secret(STR("open"), false));
}

static struct value *nested(unsigned depth)
{
    struct value *v = value_int(1);
    for (; depth > 0; depth--)
        v = value_array((struct value *[]){v}, 1);
    return v;
}

static void deep_values_are_printed_whole(void)
{
    cleanup_value struct value *v = nested(VALUE_DEPTH_MAX);
    cleanup_buf struct buf out = BUF_INIT(TEST_TEXT_MAX);
    format_go_value(v, &out);
    CHECK_INT(out.len, 2 * VALUE_DEPTH_MAX + 1);
}

static void objects_are_in_the_order_of_their_keys(void)
{
    struct value *o = value_object();
    value_object_put(o, STR("b"), value_int(1));
    value_object_put(o, STR("a"), value_null());
    value_object_put(o, STR(""), value_string(STR("x")));
    CHECK_FORMAT("%v %#v", "map[:x a:<nil> b:1] map[string]interface {}{\"\":\"x\", \"a\":interface {}(nil), \"b\":1}",
                 value_ref(o), o);
}

int main(void)
{
    RUN(formats_that_end_early_read_nothing_beyond);
    RUN(a_cut_character_is_a_verb_that_nothing_has);
    RUN(sizes_beyond_the_limit_are_no_sizes);
    RUN(what_is_written_stays_within_its_bound);
    RUN(indexes_have_to_exist);
    RUN(arguments_too_many_or_too_few_are_told);
    RUN(integers_at_their_ends);
    RUN(floats_at_their_ends);
    RUN(secrets_are_never_shown);
    RUN(deep_values_are_printed_whole);
    RUN(objects_are_in_the_order_of_their_keys);
    return REPORT();
}
