/* Query texts to trees. What queries find is in tests/lang/json_path.test. */
#include <errno.h>
#include <stdlib.h>

#include "base/cleanup.h"
#include "base/mem.h"
#include "lang/stdlib/json_path_query.h"
#include "test.h"

/* Parses a copy that ends where the text ends, so that a sanitizer sees every byte read beyond it. */
static int parse_slice(struct str text, struct path_query *ret, struct err *err)
{
    cleanup_free char *exact = xmalloc(text.n + !text.n);
    if (text.n)
        memcpy(exact, text.p, text.n);
    const int code = query_parse((struct str){exact, text.n}, ret, err);
    /* Names of steps may lie in the text, which ends here: they are asked for before. */
    if (code == 0)
        for (struct query_step *s = ret->path.steps; s; s = s->next)
            s->name = s->name.n ? arena_str(&ret->arena, s->name) : s->name;
    return code;
}

static void check_error(const char *text, const char *want)
{
    cleanup_query struct path_query q = {0};
    struct err err = {0};
    CHECK_INT(parse_slice(str_of(text), &q, &err), -EINVAL);
    CHECK_STR(err.text, want);
    CHECK(q.path.steps == NULL);
}

static struct path_query parsed(const char *text)
{
    struct path_query q = {0};
    struct err err = {0};
    if (parse_slice(str_of(text), &q, &err) < 0)
        FAIL_("%s: %s", text, err.text);
    return q;
}

/* "child a, index -1, …" */
static void describe(const struct query_step *s, struct buf *out)
{
    static const char *const names[] = {
        [STEP_CHILD] = "child", [STEP_ALL] = "all",     [STEP_DESCENT] = "descent", [STEP_INDEX] = "index",
        [STEP_SLICE] = "slice", [STEP_UNION] = "union", [STEP_FILTER] = "filter"};
    for (const char *comma = ""; s; s = s->next, comma = ", ") {
        buf_printf(out, "%s%s", comma, names[s->kind]);
        if (s->kind == STEP_CHILD)
            buf_printf(out, " %.*s", STR_ARG(s->name));
        if (s->kind == STEP_INDEX)
            buf_printf(out, " %lld", (long long)s->index);
        if (s->kind == STEP_SLICE && s->end == INT64_MAX)
            buf_printf(out, " %lld::%lld", (long long)s->index, (long long)s->by);
        else if (s->kind == STEP_SLICE)
            buf_printf(out, " %lld:%lld:%lld", (long long)s->index, (long long)s->end, (long long)s->by);
        if (s->kind == STEP_UNION) {
            buf_puts(out, " (");
            describe(s->parts, out);
            buf_puts(out, ")");
        }
    }
}

static void check_steps(const char *text, const char *want)
{
    cleanup_query struct path_query q = parsed(text);
    cleanup_buf struct buf out = BUF_INIT(1 << 16);
    describe(q.path.steps, &out);
    CHECK_STR(buf_cstr(&out), want);
}

static void the_root_is_optional(void)
{
    check_steps("", "");
    check_steps("$", "");
    check_steps("@", "");
    check_steps("a", "child a");
    check_steps(".a", "child a");
    check_steps("$.a", "child a");
    check_steps("@.a", "child a");
    check_steps("[0]", "index 0");
}

static void steps_come_in_their_order(void)
{
    check_steps("$.a..b[*]['c d'][-2]", "child a, descent, child b, all, child c d, index -2");
    check_steps("$.*.x", "all, child x");
    check_steps("$..[0]", "descent, index 0");
    check_steps("$[ 1 , \"x\" , 'y' ]", "union (index 1, child x, child y)");
}

static void slices_have_defaults(void)
{
    check_steps("$[1:2:3]", "slice 1:2:3");
    check_steps("$[1:]", "slice 1::1");
    check_steps("$[:2]", "slice 0:2:1");
    check_steps("$[::]", "slice 0::1");
    check_steps("$[ -3 : -1 : -2 ]", "slice -3:-1:-2");
    check_error("$[1:2:3:4]", "invalid slice syntax at 8 in $[1:2:3:4]");
    check_error("$[1:x]", "expected a number at 5 in $[1:x]");
}

static void numbers_beyond_any_array_do_not_wrap(void)
{
    cleanup_query struct path_query q = parsed("$[99999999999999999999999999][-99999999999999999999999999]");
    struct query_step *s = q.path.steps;
    CHECK(s && s->kind == STEP_INDEX && s->index > INT32_MAX);
    CHECK(s && s->next && s->next->kind == STEP_INDEX && s->next->index < -(int64_t)INT32_MAX);
}

static void escapes_are_those_of_the_reference(void)
{
    check_steps("$['a\\n\\t\\\\\\'\\\"\\x41\\u00e9']", "child a\n\t\\'\"A\xc3\xa9");
    check_error("$['\\q']", "not an escaped character at 6 in $['\\q']");
    check_error("$['\\u00g0']", "not a hexadecimal digit at 8 in $['\\u00g0']");
    /* Half of a pair is no character. */
    check_steps("$['\\ud800']", "child \xef\xbf\xbd");
}

/* Every beginning of a query that needs its end, each with nothing behind it. */
static void texts_that_end_early_are_refused_without_reading_on(void)
{
    static const char *const whole[] = {"$['a\\u0041b']", "$[\"a\\x41\"]", "$[1:2:3]", "$[1,'x']",
                                        "$[?(@.a == 'x' && !(count($.b) in [1, \"y\", null]))]"};
    for (size_t i = 0; i < ARRAY_LEN(whole); i++)
        for (size_t n = 2; n < strlen(whole[i]); n++) {
            cleanup_query struct path_query q = {0};
            struct err err = {0};
            if (parse_slice((struct str){whole[i], n}, &q, &err) != -EINVAL || !err.text[0])
                FAIL_("%.*s is taken for a query", (int)n, whole[i]);
        }
}

static void errors_say_where_they_are(void)
{
    check_error("$.", "not terminated at 3 in $.");
    check_error("$.a b", "parse error at 4 in $.a b");
    check_error("$[", "not terminated at 3 in $[");
    check_error("$[x]", "parse error at 3 in $[x]");
    check_error("$[1 2]", "invalid bracket fragment at 5 in $[1 2]");
    check_error("$.a-b", "parse error at 4 in $.a-b");
    check_error("$['a", "not terminated at 5 in $['a");
}

static void a_nul_is_not_the_end_of_the_text(void)
{
    cleanup_query struct path_query q = {0};
    struct err err = {0};
    CHECK_INT(parse_slice((struct str){"$.a\0.b", 6}, &q, &err), -EINVAL);
    CHECK_HAS(err.text, "parse error at 4");
}

static struct query_expr *filter_of(const struct path_query *q)
{
    const struct query_step *s = q->path.steps;
    return s && s->kind == STEP_FILTER && s->filter ? s->filter->expr : NULL;
}

static void and_and_or_bind_alike_from_left_to_right(void)
{
    cleanup_query struct path_query q = parsed("$[?(@.a || @.b && @.c)]");
    struct query_expr *e = filter_of(&q);
    CHECK(e && e->op == QUERY_AND && e->left->op == QUERY_OR && e->right->op == QUERY_PATH);
    CHECK_INT(q.path.steps->filter->path_count, 3);
    CHECK(e && e->right->slot == 2 && q.path.steps->filter->paths[2] == e->right);
}

static void not_applies_to_all_that_follows(void)
{
    cleanup_query struct path_query q = parsed("$[?(!@.a == 1 && @.b)]"), r = parsed("$[?((!@.a) && @.b)]");
    struct query_expr *e = filter_of(&q), *f = filter_of(&r);
    CHECK(e && e->op == QUERY_NOT && e->left->op == QUERY_AND && e->left->left->op == QUERY_EQ);
    CHECK(f && f->op == QUERY_AND && f->left->op == QUERY_NOT);
    query_done(&r);
}

static void literals_keep_their_kinds(void)
{
    cleanup_query struct path_query q = parsed("$[?(@.x in [1, -2.5, 1e3, 'two', true, false, null])]");
    struct query_expr *e = filter_of(&q);
    const struct value *list = e && e->op == QUERY_IN && e->right->op == QUERY_LIST ? e->right->literal : NULL;
    CHECK(list != NULL);
    if (!list)
        return;
    CHECK_INT(value_len(list), 7);
    CHECK_INT(value_number_kind(value_item(list, 0)), NUMBER_INT);
    CHECK(value_as_float(value_item(list, 1)) == -2.5);
    CHECK_INT(value_number_kind(value_item(list, 2)), NUMBER_FLOAT);
    CHECK_INT(value_kind(value_item(list, 3)), VALUE_STRING);
    CHECK_INT(value_kind(value_item(list, 5)), VALUE_BOOL);
    CHECK_INT(value_kind(value_item(list, 6)), VALUE_NULL);
}

static void numbers_that_are_none_are_refused(void)
{
    check_error("$[?(@ == 1e999)]", "not a number at 15 in $[?(@ == 1e999)]");
    check_error("$[?(@ == 1.2.3)]", "not a number at 15 in $[?(@ == 1.2.3)]");
    check_error("$[?(@ == -)]", "not a number at 11 in $[?(@ == -)]");
    check_error("$[?(@ == 99999999999999999999)]", "not a number at 30 in $[?(@ == 99999999999999999999)]");
}

static void what_has_no_place_in_filters_is_refused(void)
{
    check_error("$[?(@.a ~= 'x')]", "not a valid operation at 9 in $[?(@.a ~= 'x')]");
    check_error("$[?(@.a + 1)]", "not a valid operation at 9 in $[?(@.a + 1)]");
    check_error("$[?(count(1) > 2)]", "count() takes a path at 11 in $[?(count(1) > 2)]");
    check_error("$[?(match(@.a, 'x'))]", "not a value or function at 5 in $[?(match(@.a, 'x'))]");
}

/* `text`, n times, between two others. */
static struct query_step *repeated(const char *before, const char *text, size_t n, const char *after,
                                   struct path_query *q, struct err *err)
{
    cleanup_buf struct buf all = BUF_INIT(1 << 20);
    buf_puts(&all, before);
    for (size_t i = 0; i < n; i++)
        buf_puts(&all, text);
    buf_puts(&all, after);
    return query_parse(buf_slice(&all), q, err) < 0 ? NULL : q->path.steps;
}

static void check_bound(const char *before, const char *text, size_t most, const char *after, const char *want)
{
    cleanup_query struct path_query good = {0}, bad = {0};
    struct err err = {0};
    CHECK(repeated(before, text, most, after, &good, &err) != NULL);
    CHECK_STR(err.text, "");
    CHECK(repeated(before, text, most + 1, after, &bad, &err) == NULL);
    CHECK_HAS(err.text, want);
    query_done(&good);
}

static void steps_depth_and_paths_are_bounded(void)
{
    check_bound("$", ".a", 256, "", "too many steps");
    check_bound("$[?(@ == 0", " || @.a", 15, ")]", "too many paths in a filter");
    cleanup_query struct path_query q = {0};
    struct err err = {0};
    CHECK(repeated("$[?", "(", 5000, "", &q, &err) == NULL);
    CHECK_HAS(err.text, "nested too deeply");
    CHECK(repeated("$[?(", "!", 5000, "@)]", &q, &err) == NULL);
    CHECK(repeated("$", "[?(@", 5000, "", &q, &err) == NULL);
    CHECK(repeated("$['", "x", 70000, "']", &q, &err) == NULL);
    CHECK_HAS(err.text, "too long a string");
}

static void a_message_shows_a_part_of_a_long_query(void)
{
    cleanup_query struct path_query q = {0};
    struct err err = {0};
    CHECK(repeated("$", ".abcdefgh", 200, " x", &q, &err) == NULL);
    CHECK_HAS(err.text, "parse error at 1802 in $.abcdefgh");
    CHECK(strlen(err.text) < 300);
}

int main(void)
{
    RUN(the_root_is_optional);
    RUN(steps_come_in_their_order);
    RUN(slices_have_defaults);
    RUN(numbers_beyond_any_array_do_not_wrap);
    RUN(escapes_are_those_of_the_reference);
    RUN(texts_that_end_early_are_refused_without_reading_on);
    RUN(errors_say_where_they_are);
    RUN(a_nul_is_not_the_end_of_the_text);
    RUN(and_and_or_bind_alike_from_left_to_right);
    RUN(not_applies_to_all_that_follows);
    RUN(literals_keep_their_kinds);
    RUN(numbers_that_are_none_are_refused);
    RUN(what_has_no_place_in_filters_is_refused);
    RUN(steps_depth_and_paths_are_bounded);
    RUN(a_message_shows_a_part_of_a_long_query);
    return REPORT();
}
