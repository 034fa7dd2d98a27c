#include "lang/printer.h"

#include "lang_test.h"

static void check(const char *text, const char *want)
{
    cleanup_source struct source *s = source_from("", str_of(text));
    cleanup_ast struct ast_file *f = NULL;
    cleanup_diags struct diags ds = DIAGS_INIT;
    cleanup_buf struct buf out = BUF_INIT(TEST_TEXT_MAX);
    CHECK_INT(parse_expression(s, &f, &ds), 0);
    if (f)
        print_expr(f->expr, &out);
    CHECK_STR(buf_cstr(&out), want);
}

static void blanks_are_normal(void)
{
    check("1+2 *(a .b[ 0 ]- - c)", "1 + 2 * (a.b[0] - -c)");
    check("!f( 1,\"x\" , )", "!f(1, \"x\")");
    check("[ ]", "[]");
    check("{ }", "{}");
    check("{a=1,\"b\"=[true,null]}", "{a = 1, \"b\" = [true, null]}");
}

static void line_breaks_are_kept(void)
{
    check("[1,\n2,\n]", "[1,\n\t2,\n]");
    check("[\n1, 2,\n[\n3,\n],\n]", "[\n\t1, 2,\n\t[\n\t\t3,\n\t],\n]");
    check("[0, {\na = 1,\n}, 2]", "[0, {\n\ta = 1,\n}, 2]");
    check("{\n  a = 1,\n      b = {\nc = 2,\n},\n}", "{\n\ta = 1,\n\tb = {\n\t\tc = 2,\n\t},\n}");
}

static void equal_signs_are_aligned(void)
{
    check("{\na = 1,\nlong = 2,\nlonger = {\nx = 1,\n},\nb = 3,\n}",
          "{\n\ta      = 1,\n\tlong   = 2,\n\tlonger = {\n\t\tx = 1,\n\t},\n\tb = 3,\n}");
    check("{a = 1, long = 2}", "{a = 1, long = 2}");
    check("{a = 1, long = 2,\nb = 3,\n}", "{a = 1, long = 2,\n\tb = 3,\n}");
}

int main(void)
{
    RUN(blanks_are_normal);
    RUN(line_breaks_are_kept);
    RUN(equal_signs_are_aligned);
    return REPORT();
}
