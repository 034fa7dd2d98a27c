#include "store/labels_key.h"

#include <errno.h>

#include "base/cleanup.h"
#include "test.h"

static void key_of(const struct label *labels, size_t n, struct buf *out)
{
    struct label_list ls;
    struct err err = {0};
    CHECK_INT(label_list_of(&ls, labels, n, &err), 0);
    label_list_key(&ls, out);
}

static void a_key_does_not_depend_on_the_order(void)
{
    const struct label one[] = {{STR("__name__"), STR("cpu")}, {STR("b"), STR("2")}, {STR("service_name"), STR("s")}};
    const struct label two[] = {{STR("service_name"), STR("s")}, {STR("__name__"), STR("cpu")}, {STR("b"), STR("2")}};
    cleanup_buf struct buf a = BUF_INIT(LABELS_KEY_MAX), b = BUF_INIT(LABELS_KEY_MAX);
    key_of(one, 3, &a);
    key_of(two, 3, &b);
    static const char want[] = "__name__\0cpu\0b\0"
                               "2\0service_name\0s"; /* and the NUL of the literal */
    CHECK(str_eq(buf_slice(&a), (struct str){want, sizeof want}));
    CHECK(str_eq(buf_slice(&a), buf_slice(&b)));
}

static void labels_of_the_sender_alone_are_left_out(void)
{
    const struct label labels[] = {{STR("__name__"), STR("cpu")},
                                   {STR("__session_id__"), STR("1")},
                                   {STR("__delta__"), STR("false")},
                                   {STR("__profile_type__"), STR("forged")}};
    struct label_list ls;
    struct err err = {0};
    CHECK_INT(label_list_of(&ls, labels, ARRAY_LEN(labels), &err), 0);
    CHECK_INT(ls.len, 2);
    CHECK(str_is(label_list_get(&ls, STR("service_name")), "unknown_service"));
    CHECK_INT(label_list_get(&ls, STR("__session_id__")).n, 0);
}

static void bad_labels_are_refused_in_the_words_of_the_reference(void)
{
    static const struct {
        struct label labels[3];
        size_t n;
        const char *want;
    } table[] = {
        {{{{0}, {0}}}, 0, "invalid labels '{}' with error: invalid metric name"},
        {{{STR("__name__"), STR("a:b")}}, 1, "with error: invalid metric name"},
        {{{STR("__name__"), STR("cpu")}, {STR(""), STR("x")}}, 2, "with error: invalid label name"},
        {{{STR("__name__"), STR("cpu")}, {STR("a\0b"), STR("x")}}, 2, "with error: invalid label name"},
        {{{STR("__name__"), STR("cpu")}, {STR("a\xff"), STR("x")}}, 2, "with error: invalid label name"},
        {{{STR("__name__"), STR("cpu")}, {STR("a"), STR("x\0y")}}, 2, "invalid or too long value of label a"},
        {{{STR("__name__"), STR("cpu")}, {STR("a"), STR("1")}, {STR("a"), STR("2")}}, 3, "duplicate label name: a"},
    };
    for (size_t i = 0; i < ARRAY_LEN(table); i++) {
        struct label_list ls;
        struct err err = {0};
        CHECK_INT(label_list_of(&ls, table[i].labels, table[i].n, &err), -EINVAL);
        CHECK_HAS(err.text, table[i].want);
    }
}

static void labels_are_limited_in_number_and_length(void)
{
    static char text[LABEL_VALUE_MAX + 1];
    memset(text, 'x', sizeof text);
    struct label many[STORE_LABELS_MAX + 1] = {{STR("__name__"), STR("cpu")}};
    char names[STORE_LABELS_MAX + 1][8];
    for (size_t i = 1; i <= STORE_LABELS_MAX; i++) {
        snprintf(names[i], sizeof names[i], "l%zu", i);
        many[i] = (struct label){str_of(names[i]), STR("v")};
    }
    struct label_list ls;
    struct err err = {0};
    CHECK_INT(label_list_of(&ls, many, STORE_LABELS_MAX, &err), 0);
    CHECK_INT(label_list_of(&ls, many, STORE_LABELS_MAX + 1, &err), -EINVAL);
    CHECK_STR(err.text, "profile series has 65 label names; limit 64");
    many[1].value = (struct str){text, LABEL_VALUE_MAX};
    CHECK_INT(label_list_of(&ls, many, 2, &err), 0);
    many[1].value.n++;
    CHECK_INT(label_list_of(&ls, many, 2, &err), -EINVAL);
    many[1] = (struct label){{text, LABEL_NAME_MAX + 1}, STR("v")};
    CHECK_INT(label_list_of(&ls, many, 2, &err), -EINVAL);
}

static void an_added_label_takes_its_place_and_replaces_an_empty_one_only(void)
{
    const struct label labels[] = {{STR("__name__"), STR("cpu")}, {STR("empty"), STR("")}, {STR("kept"), STR("1")}};
    struct label_list ls;
    struct err err = {0};
    CHECK_INT(label_list_of(&ls, labels, 3, &err), 0);
    CHECK(label_list_add(&ls, STR("empty"), STR("x")));
    CHECK(label_list_add(&ls, STR("kept"), STR("2")));
    CHECK(label_list_add(&ls, STR("a"), STR("3")));
    cleanup_buf struct buf out = BUF_INIT(4096);
    label_list_print(ls.items, ls.len, &out);
    CHECK_STR(buf_cstr(&out), "{__name__=\"cpu\", a=\"3\", empty=\"x\", kept=\"1\", service_name=\"unknown_service\"}");
    while (ls.len < ARRAY_LEN(ls.items))
        ls.items[ls.len++] = (struct label){STR("z"), STR("")};
    CHECK(!label_list_add(&ls, STR("zz"), STR("x")));
}

static void a_key_tells_which_labels_it_has(void)
{
    static const char bytes[] = "a\0"
                                "1\0b\0\0c\0"
                                "3";
    const struct str key = {bytes, sizeof bytes};
    struct label_list ls;
    labels_key_expand(key, &ls);
    CHECK_INT(ls.len, 3);
    CHECK(str_is(label_list_get(&ls, STR("a")), "1"));
    CHECK(str_is(label_list_get(&ls, STR("b")), ""));
    CHECK(str_is(label_list_get(&ls, STR("c")), "3"));
    /* A value is no name. */
    CHECK(str_is(label_list_get(&ls, STR("1")), ""));
    CHECK(str_is(label_list_get(&ls, STR("d")), ""));
}

static void labels_are_derived_from_the_profile_type(void)
{
    static const char key[] = "__profile_type__\0mem:space:bytes::\0service_name\0shop";
    struct label_list ls;
    labels_key_expand(STR(key), &ls);
    CHECK(str_is(label_list_get(&ls, STR("__type__")), "space"));
    CHECK(str_is(label_list_get(&ls, STR("__unit__")), "bytes"));
    CHECK(str_is(label_list_get(&ls, STR("__service_name__")), "shop"));
    CHECK_INT(ls.len, 5); /* the period has none */
    CHECK(str_is(ls.items[0].name, "__profile_type__"));
    CHECK(str_is(ls.items[4].name, "service_name"));
}

int main(void)
{
    RUN(a_key_does_not_depend_on_the_order);
    RUN(labels_of_the_sender_alone_are_left_out);
    RUN(bad_labels_are_refused_in_the_words_of_the_reference);
    RUN(labels_are_limited_in_number_and_length);
    RUN(an_added_label_takes_its_place_and_replaces_an_empty_one_only);
    RUN(a_key_tells_which_labels_it_has);
    RUN(labels_are_derived_from_the_profile_type);
    return REPORT();
}
