#include "flow/labels.h"
#include "test.h"

static struct labels *make(const char *const *pairs)
{
    cleanup_labels_builder struct labels_builder b = LABELS_BUILDER_INIT;
    for (; *pairs; pairs += 2)
        labels_set(&b, str_of(pairs[0]), str_of(pairs[1]));
    return labels_build(&b, false);
}
#define LABELS(...) make((const char *const[]){__VA_ARGS__ __VA_OPT__(, ) NULL})

static void check_print(const struct labels *ls, const char *want)
{
    cleanup_buf struct buf out = BUF_INIT(1000);
    labels_print(ls, &out);
    CHECK_STR(buf_cstr(&out), want);
}

static void a_set_is_sorted_by_name_whatever_the_order_of_setting(void)
{
    struct labels *ls = LABELS("b", "2", "a", "1", "", "none", "c", "");
    CHECK_INT(labels_len(ls), 4);
    check_print(ls, "{=\"none\", a=\"1\", b=\"2\", c=\"\"}");
    CHECK_STR(labels_get(ls, STR("b")).p, "2");
    CHECK(labels_has(ls, STR("c")));
    CHECK(!labels_has(ls, STR("d")));
    CHECK_INT(labels_get(ls, STR("d")).n, 0);
    labels_unref(ls);
}

static void printing_escapes_quotes_and_control_characters(void)
{
    struct labels *ls = LABELS("a", "say \"hi\\\"\n\t\x7f", "b", "é");
    check_print(ls, "{a=\"say \\\"hi\\\\\\\"\\n\\x09\\x7f\", b=\"é\"}");
    labels_unref(ls);
    check_print(NULL, "{}");
}

static void the_last_value_set_wins_even_if_it_is_taken_from_the_label_it_replaces(void)
{
    cleanup_labels_builder struct labels_builder b = LABELS_BUILDER_INIT;
    labels_set(&b, STR("a"), STR("first"));
    const struct str own = labels_builder_get(&b, STR("a"));
    labels_set(&b, STR("a"), (struct str){own.p + 1, 2});
    CHECK_STR(labels_builder_get(&b, STR("a")).p, "ir");
    CHECK_INT(b.len, 1);
}

static void a_builder_that_changes_nothing_builds_the_set_it_started_from(void)
{
    struct labels *ls = LABELS("a", "1", "b", "2");
    cleanup_labels_builder struct labels_builder b = LABELS_BUILDER_INIT;
    labels_builder_from(&b, ls);
    labels_set(&b, STR("a"), STR("1"));
    labels_del(&b, STR("none"));
    struct labels *same = labels_build(&b, true);
    CHECK(same == ls);
    labels_unref(same);

    labels_builder_from(&b, ls);
    labels_del(&b, STR("a"));
    labels_set(&b, STR("c"), STR("3"));
    struct labels *other = labels_build(&b, true);
    check_print(other, "{b=\"2\", c=\"3\"}");
    check_print(ls, "{a=\"1\", b=\"2\"}");
    labels_unref(other);
    labels_unref(ls);
}

static void a_built_set_survives_the_set_it_came_from(void)
{
    struct labels *ls = LABELS("a", "1", "b", "2");
    cleanup_labels_builder struct labels_builder b = LABELS_BUILDER_INIT;
    labels_builder_from(&b, ls);
    labels_unref(ls);
    labels_set(&b, STR("b"), STR("two"));
    struct labels *built = labels_build(&b, false);
    check_print(built, "{a=\"1\", b=\"two\"}");
    labels_unref(built);
}

static void empty_values_are_dropped_on_demand_only(void)
{
    struct labels *ls = LABELS("a", "", "b", "2");
    cleanup_labels_builder struct labels_builder b = LABELS_BUILDER_INIT;
    labels_builder_from(&b, ls);
    struct labels *kept = labels_build(&b, false);
    CHECK_INT(labels_len(kept), 2);
    labels_builder_from(&b, ls);
    struct labels *dropped = labels_build(&b, true);
    check_print(dropped, "{b=\"2\"}");
    labels_unref(kept);
    labels_unref(dropped);
    labels_unref(ls);
}

static void equality_and_hash_look_at_content(void)
{
    struct labels *a = LABELS("x", "1", "y", "2"), *b = LABELS("y", "2", "x", "1"), *c = LABELS("x", "1", "y", "3"),
                  *d = LABELS("x", "1"), *swapped = LABELS("1", "x", "y", "2");
    CHECK(labels_equal(a, b));
    CHECK(!labels_equal(a, c));
    CHECK(!labels_equal(a, d));
    CHECK(labels_hash(a) == labels_hash(b));
    CHECK(labels_hash(a) != labels_hash(c));
    CHECK(labels_hash(a) != labels_hash(swapped));
    CHECK(labels_equal(NULL, NULL));
    labels_unref(a);
    labels_unref(b);
    labels_unref(c);
    labels_unref(d);
    labels_unref(swapped);
}

int main(void)
{
    RUN(a_set_is_sorted_by_name_whatever_the_order_of_setting);
    RUN(printing_escapes_quotes_and_control_characters);
    RUN(the_last_value_set_wins_even_if_it_is_taken_from_the_label_it_replaces);
    RUN(a_builder_that_changes_nothing_builds_the_set_it_started_from);
    RUN(a_built_set_survives_the_set_it_came_from);
    RUN(empty_values_are_dropped_on_demand_only);
    RUN(equality_and_hash_look_at_content);
    return REPORT();
}
