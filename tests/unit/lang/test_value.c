#include "lang/value.h"

#include <math.h>

#include "lang/value_print.h"
#include "lang_test.h"

static void check_text(struct value *taken, const char *want)
{
    cleanup_value struct value *v = taken;
    cleanup_buf struct buf out = BUF_INIT(TEST_TEXT_MAX);
    value_print(v, &out);
    CHECK_STR(buf_cstr(&out), want);
}

static bool equal(struct value *a, struct value *b)
{
    bool same = value_equal(a, b), mirrored = value_equal(b, a);
    CHECK(same == mirrored);
    value_unref(a);
    value_unref(b);
    return same;
}

static void values_print_as_the_language_writes_them(void)
{
    check_text(value_null(), "null");
    check_text(value_bool(true), "true");
    check_text(value_int(-5), "-5");
    check_text(value_uint(UINT64_MAX), "18446744073709551615");
    check_text(value_float(3.9), "3.9");
    check_text(value_float(1e6), "1000000");
    check_text(value_float(1e-7), "0.0000001");
    check_text(value_float(0.1 + 0.2), "0.30000000000000004");
    check_text(value_float(-0.0), "-0");
    check_text(value_string(STR("a\"\n\xff")), "\"a\\\"\\n\\xff\"");
    struct value *o = value_object();
    value_object_put(o, STR("z"), value_int(1));
    value_object_put(o, STR("a b"), value_array(NULL, 0));
    check_text(o, "{\"a b\" = [], z = 1}");
    check_text(value_secret(STR("x")), "(secret)");
    check_text(value_optional_secret(STR("x"), true), "(secret)");
    check_text(value_optional_secret(STR("x"), false), "\"x\"");
}

static void numbers_are_equal_across_their_representations(void)
{
    CHECK(equal(value_int(3), value_float(3.0)));
    CHECK(equal(value_int(3), value_uint(3)));
    CHECK(!equal(value_int(3), value_float(3.1)));
    CHECK(!equal(value_float(NAN), value_float(NAN)));
    CHECK(!equal(value_int(3), value_string(STR("3"))));
}

static void containers_are_equal_by_content(void)
{
    struct value *a[] = {value_int(1), value_string(STR("x"))}, *b[] = {value_int(1), value_string(STR("x"))};
    CHECK(equal(value_array(a, 2), value_array(b, 2)));
    struct value *c[] = {value_int(1)};
    CHECK(!equal(value_array(c, 1), value_array(NULL, 0)));
    struct value *x = value_object(), *y = value_object();
    value_object_put(x, STR("a"), value_int(1));
    value_object_put(x, STR("b"), value_int(2));
    value_object_put(y, STR("b"), value_int(2));
    value_object_put(y, STR("a"), value_int(1));
    CHECK(equal(x, y));
    x = value_object(), y = value_object();
    value_object_put(x, STR("a"), value_null());
    value_object_put(y, STR("b"), value_null());
    CHECK(!equal(x, y));
}

static void capsules_are_equal_by_type_and_content(void)
{
    static int one, two;
    CHECK(equal(value_capsule(&opaque_capsule, &one), value_capsule(&opaque_capsule, &one)));
    CHECK(!equal(value_capsule(&opaque_capsule, &one), value_capsule(&opaque_capsule, &two)));
    CHECK(!equal(value_capsule(&opaque_capsule, &one), value_capsule(&widget_capsule, &one)));
    CHECK(equal(value_secret(STR("a")), value_secret(STR("a"))));
    CHECK(!equal(value_secret(STR("a")), value_secret(STR("b"))));
    CHECK(!equal(value_optional_secret(STR("a"), true), value_optional_secret(STR("a"), false)));
}

static void large_objects_find_their_members(void)
{
    cleanup_value struct value *o = value_object();
    char key[16];
    for (int i = 0; i < 1000; i++) {
        snprintf(key, sizeof key, "k%d", i % 500);
        value_object_put(o, str_of(key), value_int(i));
    }
    CHECK_INT(value_len(o), 500);
    for (int i = 0; i < 500; i++) {
        snprintf(key, sizeof key, "k%d", i);
        struct value *m = value_member(o, str_of(key));
        CHECK(m && value_as_int(m) == i + 500);
    }
    CHECK(value_member(o, STR("k500")) == NULL);
    struct value *first;
    CHECK(str_is(value_key(o, 0, &first), "k0"));
    CHECK_INT(value_as_int(first), 500);
}

static void numbers_convert_without_undefined_behaviour(void)
{
    static const struct {
        double d;
        int64_t i;
        uint64_t u;
    } cases[] = {
        {1.9, 1, 1},
        {-1.9, -1, (uint64_t)-1},
        {1e300, INT64_MIN, (uint64_t)INT64_MIN},
        {NAN, INT64_MIN, (uint64_t)INT64_MIN},
        {0x1p63, INT64_MIN, (uint64_t)1 << 63},
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        cleanup_value struct value *v = value_float(cases[i].d);
        CHECK_INT(value_as_int(v), cases[i].i);
        CHECK(value_as_uint(v) == cases[i].u);
    }
}

static int freed;

static void count_free(void *data)
{
    (void)data;
    freed++;
}

static void a_capsule_is_freed_with_its_last_reference(void)
{
    static const struct capsule_type type = {.name = "counted", .free = count_free};
    struct value *v = value_capsule(&type, NULL), *items[] = {v};
    value_ref(v);
    struct value *array = value_array(items, 1);
    value_unref(v);
    CHECK_INT(freed, 0);
    value_unref(array);
    CHECK_INT(freed, 1);
}

static void only_strings_and_secrets_have_a_secret_text(void)
{
    cleanup_value struct value *secret = value_secret(STR("a\0b")), *number = value_int(1);
    struct str s;
    CHECK(value_secret_text(secret, &s) && s.n == 3);
    CHECK(!value_secret_text(number, &s));
    CHECK_INT(value_secrecy(secret), VALUE_SECRET);
    CHECK_INT(value_secrecy(number), VALUE_NOT_SECRET);
}

int main(void)
{
    RUN(values_print_as_the_language_writes_them);
    RUN(numbers_are_equal_across_their_representations);
    RUN(containers_are_equal_by_content);
    RUN(capsules_are_equal_by_type_and_content);
    RUN(large_objects_find_their_members);
    RUN(numbers_convert_without_undefined_behaviour);
    RUN(a_capsule_is_freed_with_its_last_reference);
    RUN(only_strings_and_secrets_have_a_secret_text);
    return REPORT();
}
