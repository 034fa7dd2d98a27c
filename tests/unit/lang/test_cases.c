/* Runs the text cases in tests/lang; their README says how they are written. */
#include <glob.h>

#include "cases.h"
#include "lang/diag_text.h"
#include "lang/lexer.h"
#include "lang/printer.h"
#include "lang/quote.h"
#include "lang/value_print.h"
#include "lang_test.h"
#include "record_fixture.h"

static size_t failed_cases, cases;

static void list_tokens(struct source *source, struct buf *out, struct diags *ds)
{
    struct lexer lx;
    struct token t;
    lexer_init(&lx, source, ds);
    do {
        t = lexer_next(&lx);
        const struct pos at = source_pos(source, t.offset);
        buf_printf(out, "%s%u:%u %s", out->len ? "\n" : "", at.line, at.column, token_name(t.kind));
        if (t.text.n && !str_eq(t.text, str_of(token_name(t.kind)))) {
            buf_byte(out, ' ');
            quote_print(t.text, out);
        }
    } while (t.kind != TOKEN_EOF);
    buf_puts(out, ds->len ? "\n" : "");
}

static void evaluate(struct source *source, struct buf *out, struct diags *ds)
{
    cleanup_ast struct ast_file *file = NULL;
    cleanup_value struct value *v = NULL;
    if (parse_expression(source, &file, ds) == 0 && eval(file->expr, &test_scope, &v, ds) == 0)
        value_print(v, out);
}

static void decode(struct source *source, struct buf *out, struct diags *ds)
{
    cleanup_ast struct ast_file *file = NULL;
    cleanup_value struct value *v = NULL;
    struct args record;
    const struct range whole = source_range(source, 0, source->text.n ? source->text.n - 1 : 0);
    if (parse_file(source, &file, ds) < 0 || schema_decode(&schema, &file->body, whole, &test_scope, &record, ds) < 0)
        return;
    v = schema_to_value(&schema, &record);
    schema_done(&schema, &record);
    value_print(v, out);
}

static void add_traversal(void *arg, const struct ast_traversal *t)
{
    struct buf *out = arg;
    buf_printf(out, "%s%u:%u-%u:%u ", out->len ? "\n" : "", t->range.first.line, t->range.first.column,
               t->range.last.line, t->range.last.column);
    for (size_t i = 0; i < t->len; i++)
        buf_printf(out, "%s%.*s", i ? "." : "", STR_ARG(t->path[i]));
}

/* What was formatted does not change any more. */
static void format_twice(const struct ast_file *file, struct buf *out)
{
    print_file(file, out);
    cleanup_source struct source *source = source_from("", buf_slice(out));
    cleanup_ast struct ast_file *again = NULL;
    cleanup_buf struct buf twice = BUF_INIT(TEST_TEXT_MAX);
    cleanup_diags struct diags ds = DIAGS_INIT;
    if (parse_file(source, &again, &ds) == 0)
        print_file(again, &twice);
    CHECK_STR(buf_cstr(&twice), buf_cstr(out));
}

/* False: there is no such kind of expectation. */
static bool run_kind(struct str kind, struct source *source, struct buf *out, struct diags *ds)
{
    cleanup_ast struct ast_file *file = NULL;
    if (str_is(kind, "value") || str_is(kind, "error"))
        evaluate(source, out, ds);
    else if (str_is(kind, "tokens"))
        list_tokens(source, out, ds);
    else if (str_is(kind, "decode"))
        decode(source, out, ds);
    else if (!str_is(kind, "parse") && !str_is(kind, "format") && !str_is(kind, "traversals"))
        return false;
    else if (parse_file(source, &file, ds) < 0 || str_is(kind, "parse"))
        ;
    else if (str_is(kind, "format"))
        format_twice(file, out);
    else
        ast_traversals(&file->body, add_traversal, out);
    return true;
}

static void run(struct case_section program, struct case_section want)
{
    static const struct str pretty = {"pretty ", 7};
    cleanup_source struct source *source = source_from("", program.text);
    cleanup_buf struct buf got = BUF_INIT(TEST_TEXT_MAX);
    cleanup_diags struct diags ds = DIAGS_INIT;
    struct str kind = want.name;
    if (str_has_prefix(kind, pretty))
        kind = (struct str){kind.p + pretty.n, kind.n - pretty.n};
    if (!run_kind(kind, source, &got, &ds))
        buf_printf(&got, "there is no expectation \"%.*s\"", STR_ARG(want.name));
    else if (kind.n < want.name.n)
        diags_pretty(&ds, DIAG_AS_IS, &got);
    else
        all_lines(&ds, &got);
    cases++;
    if (str_eq(str_trim(buf_slice(&got)), str_trim(want.text)))
        return;
    failed_cases++;
    FAIL_("%.*s\n---- got\n%s\n---- want\n%.*s", STR_ARG(program.name), buf_cstr(&got), STR_ARG(want.text));
}

static void run_file(const char *path)
{
    size_t n = 0;
    cleanup_free char *text = case_file(path, &n);
    struct str rest = {text, n};
    struct case_section program, want;
    checks_failed = 0;
    while (case_section(&rest, &program))
        if (case_section(&rest, &want))
            run(program, want);
    printf("%s %s\n", checks_failed ? "FAIL" : "ok  ", path);
    *(checks_failed ? &tests_failed : &tests_passed) += 1;
}

int main(int argc, char **argv)
{
    glob_t found;
    cleanup_buf struct buf pattern = BUF_INIT(TEST_TEXT_MAX);
    buf_printf(&pattern, "%s/*.test", argc > 1 ? argv[1] : TEST_CASES);
    if (glob(buf_cstr(&pattern), 0, NULL, &found) == 0)
        for (size_t i = 0; i < found.gl_pathc; i++)
            run_file(found.gl_pathv[i]);
    globfree(&found);
    printf("%zu cases, %zu failed\n", cases, failed_cases);
    return REPORT() || cases == 0;
}
