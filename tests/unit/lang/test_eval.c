#include "lang/eval.h"

#include <errno.h>

#include "lang/diag_text.h"
#include "lang/value_print.h"
#include "lang_test.h"

struct asked {
    char path[256];
    size_t count, used;
    struct value *answer; /* borrowed */
};

static bool resolve(void *ctx, const struct str *path, size_t n, size_t *used, struct value **ret)
{
    struct asked *a = ctx;
    cleanup_buf struct buf text = BUF_INIT(sizeof a->path - 1);
    for (size_t i = 0; i < n; i++)
        buf_printf(&text, "%s%.*s", i ? "." : "", STR_ARG(path[i]));
    snprintf(a->path, sizeof a->path, "%s", buf_cstr(&text));
    a->count++;
    *used = a->used;
    *ret = a->answer ? value_ref(a->answer) : NULL;
    return a->answer != NULL;
}

static struct ast_file *parsed(const char *text)
{
    cleanup_source struct source *s = source_from("f", str_of(text));
    cleanup_diags struct diags ds = DIAGS_INIT;
    struct ast_file *f = NULL;
    CHECK_INT(parse_expression(s, &f, &ds), 0);
    return f;
}

static void the_scope_is_asked_once_about_the_longest_traversal(void)
{
    cleanup_ast struct ast_file *f = parsed("a.b.c.d");
    cleanup_value struct value *object = value_object(), *v = NULL;
    cleanup_diags struct diags ds = DIAGS_INIT;
    value_object_put(object, STR("d"), value_int(4));
    struct asked asked = {.used = 3, .answer = object};
    CHECK_INT(eval(f->expr, &(struct scope){resolve, &asked}, &v, &ds), 0);
    CHECK_STR(asked.path, "a.b.c.d");
    CHECK_INT(asked.count, 1);
    CHECK(v && value_as_int(v) == 4);
}

static void a_call_or_index_ends_a_traversal(void)
{
    cleanup_ast struct ast_file *f = parsed("a.b[0].c");
    cleanup_value struct value *v = NULL;
    cleanup_diags struct diags ds = DIAGS_INIT;
    struct asked asked = {.answer = NULL};
    CHECK_INT(eval(f->expr, &(struct scope){resolve, &asked}, &v, &ds), -EINVAL);
    CHECK_STR(asked.path, "a.b");
}

static void names_of_the_scope_hide_the_library(void)
{
    cleanup_ast struct ast_file *f = parsed("coalesce");
    cleanup_value struct value *v = NULL, *other = NULL, *seven = value_int(7);
    cleanup_diags struct diags ds = DIAGS_INIT;
    struct asked asked = {.used = 1, .answer = seven};
    CHECK_INT(eval(f->expr, &(struct scope){resolve, &asked}, &v, &ds), 0);
    CHECK_INT(value_kind(v), VALUE_NUMBER);
    CHECK_INT(eval(f->expr, NULL, &other, &ds), 0);
    CHECK_INT(value_kind(other), VALUE_FUNCTION);
}

static void check_blame(const char *text, const char *why, const char *want)
{
    cleanup_ast struct ast_file *f = parsed(text);
    cleanup_diags struct diags ds = DIAGS_INIT;
    cleanup_buf struct buf line = BUF_INIT(TEST_TEXT_MAX);
    CHECK_INT(eval_blame(f->expr, why, &ds), -EINVAL);
    diag_line(&ds.items[0], &line);
    CHECK_STR(buf_cstr(&line), want);
}

static void blame_goes_to_the_innermost_expression_that_is_written_out(void)
{
    check_blame("x", "should be y", "f:1:1: x should be y");
    check_blame("[a, [b, c]]", "[1][0] should be y", "f:1:6: b should be y");
    check_blame("[a, b]", "[1].c[2] should be y", "f:1:5: b.c[2] should be y");
    check_blame("{a = 1, \"a b\" = {c = 2}}", ".a b.c should be y", "f:1:22: 2 should be y");
    check_blame("{a = 1, a = 2}", ".a should be y", "f:1:13: 2 should be y");
    check_blame("[a]", "[7] should be y", "f:1:1: [a][7] should be y");
    check_blame("([a])", "[0] should be y", "f:1:3: a should be y");
    check_blame("f(x)", "[0] should be y", "f:1:1: f(x)[0] should be y");
}

/* `before`, then `part` until it is far too long, then `after`. */
static void check_cut(const char *before, const char *part, const char *after, const char *want)
{
    cleanup_buf struct buf text = BUF_INIT(TEST_TEXT_MAX);
    buf_puts(&text, before);
    for (int i = 0; i < 20000; i++)
        buf_puts(&text, part);
    buf_puts(&text, after);
    cleanup_ast struct ast_file *f = parsed(buf_cstr(&text));
    cleanup_diags struct diags ds = DIAGS_INIT;
    eval_blame(f->expr, "should be number, got string", &ds);
    CHECK_STR(ds.items[0].message, want);
}

static void of_a_long_expression_messages_quote_the_start(void)
{
    check_cut("[", "123456789, ", "]",
              "[123456789, 123456789, 123456789, 123456789, 123456789, 123456789, 123456789, 123456789, 123456789, … "
              "should be number, got string");
    check_cut("\"", "\xc3\xa4", "\"",
              "\"äääääääääääääääääääääääääääääääääääääääääääääääää… should be number, got string");
    check_cut("`a\n", "b\n", "`", "`a… should be number, got string");
}

static void values_do_not_nest_without_end(void)
{
    cleanup_ast struct ast_file *f = parsed("[a]");
    cleanup_value struct value *deep = value_null();
    cleanup_diags struct diags ds = DIAGS_INIT;
    int code = 0;
    size_t rounds = 0;
    for (; code == 0 && rounds < 100000; rounds++) {
        struct asked asked = {.used = 1, .answer = deep};
        struct value *next = NULL;
        code = eval(f->expr, &(struct scope){resolve, &asked}, &next, &ds);
        if (code == 0) {
            value_unref(deep);
            deep = next;
        }
    }
    CHECK_INT(rounds, VALUE_DEPTH_MAX + 1);
    CHECK_HAS(ds.items[0].message, "nested too deeply");
}

/* Answers for `a` only, so that library names fall through. */
static bool resolve_a(void *ctx, const struct str *path, size_t n, size_t *used, struct value **ret)
{
    return str_is(path[0], "a") && resolve(ctx, path, n, used, ret);
}

/* Feeds an expression of `a` its own result until it fails. */
static void check_growth_ends(const char *text, struct value *start, const char *want)
{
    cleanup_ast struct ast_file *f = parsed(text);
    cleanup_value struct value *large = start;
    cleanup_diags struct diags ds = DIAGS_INIT;
    for (int round = 0; round < 40 && ds.errors == 0; round++) {
        struct asked asked = {.used = 1, .answer = large};
        struct value *next = NULL;
        if (eval(f->expr, &(struct scope){resolve_a, &asked}, &next, &ds) == 0) {
            value_unref(large);
            large = next;
        }
    }
    CHECK_HAS(ds.len ? ds.items[0].message : "", want);
}

static void strings_and_arrays_do_not_grow_without_end(void)
{
    struct value *one[] = {value_int(1)};
    check_growth_ends("a + a", value_string(STR("x")), "would be longer than");
    check_growth_ends("array.concat(a, a)", value_array(one, 1), "makes an array of more than");
    check_growth_ends("string.format(\"%s%s\", a, a)", value_string(STR("x")), "makes a string of more than");
}

/* Under the sanitizers, whose frames are large, as well. */
static void the_deepest_expression_fits_the_stack(void)
{
    static const struct {
        const char *open, *inner, *close;
    } cases[] = {{"(", "1", ")"}, {"[", "1", "]"},   {"{a = ", "1", "}"}, {"coalesce(", "1", ")"},
                 {"-", "1", ""},  {"1 ^ ", "1", ""}, {"a[", "0", "]"}};
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        cleanup_buf struct buf text = BUF_INIT(TEST_TEXT_MAX), out = BUF_INIT(TEST_TEXT_MAX);
        for (int n = 0; n < AST_DEPTH_MAX - 10; n++)
            buf_puts(&text, cases[i].open);
        buf_puts(&text, cases[i].inner);
        for (int n = 0; n < AST_DEPTH_MAX - 10; n++)
            buf_puts(&text, cases[i].close);
        cleanup_ast struct ast_file *f = parsed(buf_cstr(&text));
        struct value *zero[] = {value_int(0)};
        cleanup_value struct value *array = value_array(zero, 1), *v = NULL;
        struct asked asked = {.used = 1, .answer = array};
        cleanup_diags struct diags ds = DIAGS_INIT;
        if (f && eval(f->expr, &(struct scope){resolve_a, &asked}, &v, &ds) < 0)
            FAIL_("%s: %s", cases[i].open, ds.items[0].message);
        if (v) {
            value_print(v, &out);
            CHECK(value_equal(v, v));
        }
        if (f)
            eval_blame(f->expr, "is deep", &ds);
    }
}

int main(void)
{
    RUN(the_scope_is_asked_once_about_the_longest_traversal);
    RUN(a_call_or_index_ends_a_traversal);
    RUN(names_of_the_scope_hide_the_library);
    RUN(blame_goes_to_the_innermost_expression_that_is_written_out);
    RUN(of_a_long_expression_messages_quote_the_start);
    RUN(values_do_not_nest_without_end);
    RUN(strings_and_arrays_do_not_grow_without_end);
    RUN(the_deepest_expression_fits_the_stack);
    return REPORT();
}
