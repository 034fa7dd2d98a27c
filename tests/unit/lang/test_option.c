/* One field of a record: what it takes, what it refuses, and that it is empty after a failure. Whole records:
 * test_schema.c. */
#include "lang/option.h"

#include <errno.h>

#include "lang/value_print.h"
#include "lang_test.h"

union field {
    bool b;
    int64_t i;
    uint64_t u;
    double d;
    char *text;
    struct string_list list;
    struct string_map map;
    struct value *any;
    enum { SPEED_NONE, SPEED_SLOW, SPEED_FAST } speed;
};

static const struct option_word speeds[] = {{"", SPEED_NONE}, {"slow", SPEED_SLOW}, {"fast", SPEED_FAST}, {0}};
static struct option_words words = {.unknown = "unknown speed", .words = speeds};

static struct option of_kind(enum option_kind kind)
{
    return (struct option){.name = "x", .kind = kind, .words = &words};
}

static void check_bad(enum option_kind kind, struct value *taken, const char *why)
{
    static const union field zero;
    const struct option o = of_kind(kind);
    cleanup_value struct value *v = taken;
    union field f = {0};
    struct err err = {0};
    CHECK_INT(option_decode(&o, v, &f, &err), -EINVAL);
    CHECK_STR(err.text, why);
    CHECK(memcmp(&f, &zero, sizeof f) == 0);
}

/* Decodes, and says what it became, as the API would. */
static void check_good(enum option_kind kind, struct value *taken, const char *want)
{
    const struct option o = of_kind(kind);
    cleanup_value struct value *v = taken, *back = NULL;
    cleanup_buf struct buf out = BUF_INIT(TEST_TEXT_MAX);
    union field f = {0}, again = {0};
    struct err err = {0};
    CHECK_INT(option_decode(&o, v, &f, &err), 0);
    CHECK_STR(err.text, "");
    back = option_to_value(&o, &f);
    value_print(back, &out);
    CHECK_STR(buf_cstr(&out), want);
    CHECK_INT(option_decode(&o, v, &again, &err), 0);
    CHECK(option_equal(&o, &f, &again));
    option_done(&o, &f);
    CHECK(!f.text);
    option_done(&o, &again);
}

static struct value *list_of(struct value *first, struct value *second)
{
    return value_array((struct value *[]){first, second}, 2);
}

static struct value *object_of(struct str key, struct value *member)
{
    struct value *o = value_object();
    value_object_put(o, STR("a"), value_string(STR("1")));
    value_object_put(o, key, member);
    return o;
}

static void every_kind_decodes_and_shows_its_value(void)
{
    check_good(OPT_BOOL, value_bool(true), "true");
    check_good(OPT_INT, value_string(STR("-5")), "-5");
    check_good(OPT_UINT, value_uint(UINT64_MAX), "18446744073709551615");
    check_good(OPT_FLOAT, value_int(2), "2");
    check_good(OPT_DURATION, value_string(STR("90s")), "\"1m30s\"");
    check_good(OPT_STRING, value_int(7), "\"7\"");
    check_good(OPT_SECRET, value_string(STR("s3cr3t")), "(secret)");
    check_good(OPT_STRING_LIST, list_of(value_string(STR("b")), value_int(1)), "[\"b\", \"1\"]");
    check_good(OPT_STRING_MAP, object_of(STR("0"), value_null()), "{\"0\" = \"\", a = \"1\"}");
    check_good(OPT_ANY, list_of(value_bool(false), value_null()), "[false, null]");
}

static void null_is_the_zero_value(void)
{
    check_good(OPT_BOOL, value_null(), "false");
    check_good(OPT_STRING_LIST, value_null(), "[]");
    check_good(OPT_STRING_MAP, value_null(), "{}");
    const struct option o = of_kind(OPT_STRING);
    union field f = {0};
    option_zero(&o, &f);
    CHECK_STR(f.text, "");
    option_done(&o, &f);
}

static void what_would_be_cut_short_is_refused(void)
{
    check_bad(OPT_STRING, value_string(STR("a\0b")), "contains a NUL byte");
    check_bad(OPT_SECRET, value_secret(STR("a\0b")), "contains a NUL byte");
    check_bad(OPT_STRING_LIST, list_of(value_string(STR("a")), value_string(STR("\0"))), "[1] contains a NUL byte");
    check_bad(OPT_STRING_MAP, object_of(STR("b"), value_string(STR("\0"))), ".b contains a NUL byte");
    check_bad(OPT_STRING_MAP, object_of(STR("b\0c"), value_string(STR("x"))), ".b has a name with a NUL byte");
    cleanup_free char *long_text = xmalloc((16 << 20) + 1);
    memset(long_text, 'x', (16 << 20) + 1);
    check_bad(OPT_STRING, value_string((struct str){long_text, (16 << 20) + 1}), "is too long");
}

static void errors_say_the_way_to_the_part_at_fault(void)
{
    check_bad(OPT_STRING, value_bool(true), "should be string, got bool");
    check_bad(OPT_STRING_LIST, value_string(STR("a")), "should be array, got string");
    check_bad(OPT_STRING_LIST, list_of(value_null(), value_array(NULL, 0)), "[1] should be string, got array");
    check_bad(OPT_STRING_MAP, value_int(1), "should be object, got number");
    check_bad(OPT_STRING_MAP, object_of(STR("b"), value_bool(true)), ".b should be string, got bool");
    check_bad(OPT_STRING_LIST, list_of(value_int(1), value_secret(STR("s"))),
              "[1] secrets may not be converted into strings");
}

static void a_capsule_that_looks_like_an_object_is_a_map(void)
{
    static int nothing;
    check_good(OPT_STRING_MAP, value_capsule(&widget_capsule, &nothing), "{color = \"red\"}");
    check_bad(OPT_STRING_MAP, value_capsule(&opaque_capsule, &nothing), "should be object, got capsule");
}

static void fields_are_equal_by_content(void)
{
    const struct option lists = of_kind(OPT_STRING_LIST), maps = of_kind(OPT_STRING_MAP), texts = of_kind(OPT_STRING);
    char a[] = "a", b[] = "b";
    char *one[] = {a}, *other[] = {b}, *both[] = {a, b};
    struct string_list l1 = {one, 1}, l2 = {other, 1}, l3 = {both, 2}, none = {0};
    CHECK(option_equal(&lists, &l1, &l1) && option_equal(&lists, &none, &none));
    CHECK(!option_equal(&lists, &l1, &l2) && !option_equal(&lists, &l1, &l3) && !option_equal(&lists, &none, &l1));
    struct string_pair aa[] = {{a, a}}, ab[] = {{a, b}}, ba[] = {{b, a}};
    struct string_map m1 = {aa, 1}, m2 = {ab, 1}, m3 = {ba, 1};
    CHECK(option_equal(&maps, &m1, &m1) && !option_equal(&maps, &m1, &m2) && !option_equal(&maps, &m1, &m3));
    char *none_text = NULL, *empty = (char[]){""}, *some = a;
    CHECK(option_equal(&texts, &none_text, &empty) && !option_equal(&texts, &some, &empty));
}

static void a_word_is_decoded_to_its_value(void)
{
    const struct option o = of_kind(OPT_ENUM);
    cleanup_value struct value *fast = value_string(STR("fast"));
    union field f = {0}, slow = {.speed = SPEED_SLOW};
    struct err err = {0};
    CHECK_INT(option_decode(&o, fast, &f, &err), 0);
    CHECK_INT(f.speed, SPEED_FAST);
    CHECK(!option_equal(&o, &f, &slow));
    option_done(&o, &f);
    CHECK_INT(f.speed, SPEED_NONE);
    check_good(OPT_ENUM, value_string(STR("slow")), "\"slow\"");
    check_good(OPT_ENUM, value_null(), "\"\"");
    CHECK_STR(option_word(&words, SPEED_SLOW), "slow");
    CHECK(!option_word(&words, SPEED_FAST + 1));
}

static void an_unknown_word_is_rejected_in_the_form_of_its_option(void)
{
    check_bad(OPT_ENUM, value_string(STR("fas")), "unknown speed \"fas\", expected slow or fast");
    words.form = UNKNOWN_QUOTED;
    check_bad(OPT_ENUM, value_string(STR("fas")), "unknown speed \"fas\"");
    words.form = UNKNOWN_COLON;
    check_bad(OPT_ENUM, value_string(STR("fas")), "unknown speed: fas");
    words.form = UNKNOWN_LISTED;
    check_bad(OPT_ENUM, value_string(STR("fast\0er")), "contains a NUL byte");
    check_bad(OPT_ENUM, value_bool(true), "should be string, got bool");
    cleanup_buf struct buf list = BUF_INIT(TEST_TEXT_MAX);
    option_words_list(&words, "`", &list);
    CHECK_STR(buf_cstr(&list), "`slow` or `fast`");
}

int main(void)
{
    RUN(every_kind_decodes_and_shows_its_value);
    RUN(null_is_the_zero_value);
    RUN(what_would_be_cut_short_is_refused);
    RUN(errors_say_the_way_to_the_part_at_fault);
    RUN(a_capsule_that_looks_like_an_object_is_a_map);
    RUN(fields_are_equal_by_content);
    RUN(a_word_is_decoded_to_its_value);
    RUN(an_unknown_word_is_rejected_in_the_form_of_its_option);
    return REPORT();
}
