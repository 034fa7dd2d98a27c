#include "flow/targets.h"

#include <errno.h>
#include <time.h>

#include "config.h"
#include "lang/coerce.h"
#include "lang/value_print.h"

static struct targets decoded(const char *text)
{
    cleanup_value struct value *v = value_of_text(text);
    struct targets ts = {0};
    struct err err = {0};
    CHECK_INT(targets_option.decode(v, &ts, &err), 0);
    CHECK_STR(err.text, "");
    return ts;
}

static void refuses(struct value *v, const char *why)
{
    struct targets ts = {0};
    struct err err = {0};
    CHECK_INT(targets_option.decode(v, &ts, &err), -EINVAL);
    CHECK_STR(err.text, why);
    CHECK(ts.items == NULL && ts.len == 0);
    value_unref(v);
}

static void check_print(const struct labels *ls, const char *want)
{
    cleanup_buf struct buf out = BUF_INIT(1000);
    labels_print(ls, &out);
    CHECK_STR(buf_cstr(&out), want);
}

static void objects_become_targets_and_members_texts(void)
{
    struct targets ts = decoded("[{a = \"x\", b = 42, c = -7, d = true, e = \"\"}, {}, null]");
    CHECK_INT(ts.len, 3);
    check_print(ts.items[0], "{a=\"x\", b=\"42\", c=\"-7\", d=\"true\", e=\"\"}");
    check_print(ts.items[1], "{}");
    check_print(ts.items[2], "{}");
    targets_done(&ts);
    CHECK(ts.items == NULL);
}

static void floats_print_as_the_reference_prints_them(void)
{
    struct targets ts = decoded("[{a = 1e6, b = 0.5, c = 1234567.5, d = 100000.0, e = 0.00001, f = 0.0, g = -2.25, "
                                "h = 1e300 * 1e300, i = 0.1}]");
    check_print(ts.items[0], "{a=\"1e+06\", b=\"0.5\", c=\"1.2345675e+06\", d=\"100000\", e=\"1e-05\", f=\"0\", "
                             "g=\"-2.25\", h=\"+Inf\", i=\"0.1\"}");
    targets_done(&ts);
}

static void null_is_no_targets(void)
{
    struct targets ts = decoded("null");
    CHECK_INT(ts.len, 0);
    targets_done(&ts);
}

static void what_is_no_target_is_refused_with_its_place(void)
{
    refuses(value_string(STR("x")), "should be array, got string");
    refuses(value_of_text("[{}, 5]"), "[1] target::ConvertFrom: conversion from 'int64' is not supported");
    refuses(value_of_text("[1.5]"), "[0] target::ConvertFrom: conversion from 'float64' is not supported");
    refuses(value_of_text("[\"x\"]"), "[0] target::ConvertFrom: conversion from 'string' is not supported");
    refuses(value_of_text("[{a = null}]"), "[0] target::ConvertFrom: cannot convert a nil value to a target value");
    refuses(value_of_text("[{}, {}, {a = [1]}]"),
            "[2] target::ConvertFrom: cannot use an array as a target value (label \"a\")");
}

static struct value *target_with(struct value *member)
{
    struct value *object = value_object();
    value_object_put(object, STR("a"), member);
    return value_array(&object, 1);
}

static void secrets_stay_secret(void)
{
    refuses(target_with(value_secret(STR("s"))), "[0] target::ConvertFrom: cannot use a secret as a target value");
    refuses(target_with(value_optional_secret(STR("s"), true)),
            "[0] target::ConvertFrom: cannot use a secret as a target value");
    struct targets ts = {0};
    struct err err = {0};
    cleanup_value struct value *open = target_with(value_optional_secret(STR("public"), false));
    CHECK_INT(targets_option.decode(open, &ts, &err), 0);
    check_print(ts.items[0], "{a=\"public\"}");
    targets_done(&ts);
}

static void a_target_looks_like_an_object(void)
{
    struct targets ts = decoded("[{b = \"2\", a = \"1\"}]");
    cleanup_value struct value *list = targets_value(ts.items, ts.len);
    const struct value *target = value_item(list, 0);
    cleanup_buf struct buf text = BUF_INIT(1000);
    cleanup_value struct value *object = target_capsule.to_object(value_capsule_data(target, &target_capsule));
    value_print(object, &text);
    CHECK_HAS(buf_cstr(&text), "\"1\"");
    cleanup_value struct value *a = target_capsule.get(value_capsule_data(target, &target_capsule), STR("a"));
    CHECK_STR(value_as_str(a).p, "1");
    CHECK(target_capsule.get(value_capsule_data(target, &target_capsule), STR("none")) == NULL);
    targets_done(&ts);
}

static void targets_pass_through_unchanged_and_shared(void)
{
    struct targets ts = decoded("[{a = \"1\"}, {b = \"2\"}]");
    cleanup_value struct value *list = targets_value(ts.items, ts.len);
    struct targets again = {0};
    struct err err = {0};
    CHECK_INT(targets_option.decode(list, &again, &err), 0);
    CHECK_INT(again.len, 2);
    CHECK(again.items[0] == ts.items[0]);
    targets_done(&ts);
    check_print(again.items[1], "{b=\"2\"}");
    targets_done(&again);
}

static void lists_are_equal_by_labels_and_order(void)
{
    struct targets a = decoded("[{a = \"1\"}, {b = \"2\"}]"), b = decoded("[{a = 1}, {b = 2}]"),
                   c = decoded("[{b = \"2\"}, {a = \"1\"}]");
    CHECK(targets_option.equal(&a, &b));
    CHECK(!targets_option.equal(&a, &c));
    cleanup_value struct value *va = targets_option.to_value(&a), *vb = targets_option.to_value(&b);
    CHECK(value_equal(va, vb));
    targets_done(&a);
    targets_done(&b);
    targets_done(&c);
}

static void a_target_is_no_text_number_or_bool(void)
{
    struct targets ts = decoded("[{a = \"1\"}]");
    cleanup_value struct value *list = targets_value(ts.items, ts.len);
    struct value *target = value_item(list, 0);
    cleanup_buf struct buf text = BUF_INIT(100);
    struct err err = {0};
    int64_t number;
    bool flag;
    CHECK_INT(coerce_text(target, &text, &err), -EINVAL);
    CHECK_STR(err.text, "target::ConvertInto: conversion to '*string' is not supported");
    CHECK_INT(coerce_int(target, &number, &err), -EINVAL);
    CHECK_STR(err.text, "target::ConvertInto: conversion to '*int' is not supported");
    CHECK_INT(coerce_bool(target, &flag, &err), -EINVAL);
    CHECK_STR(err.text, "target::ConvertInto: conversion to '*bool' is not supported");
    targets_done(&ts);
}

/* Names that come from the last to the first: each label has its place before all others, which took minutes. */
static void a_target_of_many_labels_takes_little_time(void)
{
    enum { LABELS = 300000, SECONDS_MAX = 20 };
    struct value *object = value_object();
    for (unsigned i = LABELS; i-- > 0;) {
        char name[16];
        snprintf(name, sizeof name, "n%06u", i);
        value_object_put(object, str_of(name), value_int(i));
    }
    const clock_t start = clock();
    struct labels *ls = NULL;
    struct err err = {0};
    CHECK_INT(target_from_value(object, &ls, &err), 0);
    CHECK((clock() - start) / CLOCKS_PER_SEC < SECONDS_MAX);
    CHECK_INT(labels_len(ls), LABELS);
    CHECK_STR(labels_get(ls, STR("n000007")).p, "7");
    labels_unref(ls);
    value_unref(object);
}

int main(void)
{
    RUN(objects_become_targets_and_members_texts);
    RUN(floats_print_as_the_reference_prints_them);
    RUN(null_is_no_targets);
    RUN(what_is_no_target_is_refused_with_its_place);
    RUN(secrets_stay_secret);
    RUN(a_target_looks_like_an_object);
    RUN(targets_pass_through_unchanged_and_shared);
    RUN(lists_are_equal_by_labels_and_order);
    RUN(a_target_is_no_text_number_or_bool);
    RUN(a_target_of_many_labels_takes_little_time);
    return REPORT();
}
