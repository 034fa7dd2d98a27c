#include "lang/printer.h"

#include <glob.h>
#include <unistd.h>

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

static int format(struct str text, struct buf *out, struct buf *problems)
{
    cleanup_source struct source *s = source_from("", text);
    cleanup_ast struct ast_file *f = NULL;
    cleanup_diags struct diags ds = DIAGS_INIT;
    const int code = parse_file(s, &f, &ds);
    if (code == 0)
        print_file(f, out);
    all_lines(&ds, problems);
    return code;
}

static void check_format(const char *name, struct str text, struct str want)
{
    cleanup_buf struct buf out = BUF_INIT(TEST_TEXT_MAX), problems = BUF_INIT(TEST_TEXT_MAX);
    if (format(text, &out, &problems) < 0)
        FAIL_("%s: %s", name, buf_cstr(&problems));
    else if (!str_eq(buf_slice(&out), want))
        FAIL_("%s\n---- got\n%s\n---- want\n%.*s", name, buf_cstr(&out), STR_ARG(want));
}

static void a_file_ends_with_one_line_end(void)
{
    check_format("empty", STR(""), STR("\n"));
    check_format("blank", STR("\n\n \n"), STR("\n"));
    check_format("many", STR("a = 1\n\n\n"), STR("a = 1\n"));
    check_format("none", STR("a = 1"), STR("a = 1\n"));
    check_format("comment", STR("// x\n\n"), STR("// x\n"));
}

static void byte_order_marks_and_carriage_returns_go(void)
{
    check_format("CRLF", STR("\xef\xbb\xbf// c\r\na = `x\r\ny`\r\nb = \"\r\"\r\n/* d\r\ne */\r\n"),
                 STR("// c\na = `x\ny`\nb = \"\r\"\n/* d\ne */\n"));
}

/* Every line is to be as long as the longest of them: the text would grow, memory and time do not. */
static void text_that_would_get_huge_is_refused_in_time(void)
{
    enum { WIDE = 1000, LINES = 100000, SMALL = 1 << 22 };
    cleanup_buf struct buf text = BUF_INIT(SOURCE_MAX), out = BUF_INIT(SMALL), problems = BUF_INIT(TEST_TEXT_MAX);
    for (int i = 0; i < WIDE; i++)
        buf_byte(&text, 'w');
    buf_puts(&text, " = 1\n");
    for (int i = 0; i < LINES; i++)
        buf_puts(&text, "a = 1\n");
    CHECK_INT(format(buf_slice(&text), &out, &problems), 0);
    CHECK(!buf_ok(&out));
    buf_reset(&text);
    buf_puts(&text, "a = {b = 1");
    for (int i = 0; i < LINES; i++)
        buf_puts(&text, ", b = 1");
    buf_puts(&text, "}\n");
    for (int i = 0; i < LINES; i++)
        buf_puts(&text, "/**//**/");
    cleanup_buf struct buf large = BUF_INIT(2 * SOURCE_MAX);
    CHECK_INT(format(buf_slice(&text), &large, &problems), 0);
    CHECK(buf_ok(&large));
}

static void read_whole(const char *path, struct buf *out)
{
    cleanup_fclose FILE *f = fopen(path, "rb");
    uint8_t *room = buf_reserve(out, TEST_TEXT_MAX / 2);
    if (f && room)
        out->len += fread(room, 1, TEST_TEXT_MAX / 2, f);
}

/* What the reference formatted stays as it is. */
static void run_formatted(const char *path)
{
    cleanup_buf struct buf text = BUF_INIT(TEST_TEXT_MAX), got = BUF_INIT(TEST_TEXT_MAX),
                           problems = BUF_INIT(TEST_TEXT_MAX);
    read_whole(path, &text);
    CHECK_INT(format(buf_slice(&text), &got, &problems), 0);
    CHECK_STR(str_eq(str_trim(buf_slice(&got)), str_trim(buf_slice(&text))) ? path : buf_cstr(&got), path);
}

/* X.in is formatted to X.expect, whose last line end does not count, or refused as X.error says. */
static void run_pair(const char *in)
{
    cleanup_buf struct buf text = BUF_INIT(TEST_TEXT_MAX), want = BUF_INIT(TEST_TEXT_MAX),
                           path = BUF_INIT(TEST_TEXT_MAX);
    cleanup_buf struct buf got = BUF_INIT(TEST_TEXT_MAX), problems = BUF_INIT(TEST_TEXT_MAX);
    read_whole(in, &text);
    buf_printf(&path, "%.*s.expect", (int)(strlen(in) - strlen(".in")), in);
    const bool good = access(buf_cstr(&path), R_OK) == 0;
    if (!good) {
        path.len -= strlen("expect");
        buf_puts(&path, "error");
    }
    read_whole(buf_cstr(&path), &want);
    const int code = format(buf_slice(&text), &got, &problems);
    if (want.len == 0)
        FAIL_("%s has neither an .expect nor an .error", in);
    else if (!good && (code == 0 || !strstr(buf_cstr(&problems), buf_cstr(&want))))
        FAIL_("%s: \"%s\", want \"%s\"", in, buf_cstr(&problems), buf_cstr(&want));
    else if (good && !str_eq(str_trim(buf_slice(&got)), str_trim(buf_slice(&want))))
        FAIL_("%s\n---- got\n%s\n---- want\n%s\n%s", in, buf_cstr(&got), buf_cstr(&want), buf_cstr(&problems));
}

static void agrees_with_the_reference_on_its_own_cases(void)
{
    glob_t found;
    CHECK_INT(glob(CORPUS "/printer/*.in", 0, NULL, &found), 0);
    for (size_t i = 0; i < found.gl_pathc; i++)
        run_pair(found.gl_pathv[i]);
    globfree(&found);
    CHECK_INT(glob(CORPUS "/printer/*.expect", 0, NULL, &found), 0);
    for (size_t i = 0; i < found.gl_pathc; i++)
        run_formatted(found.gl_pathv[i]);
    globfree(&found);
}

int main(void)
{
    RUN(blanks_are_normal);
    RUN(line_breaks_are_kept);
    RUN(equal_signs_are_aligned);
    RUN(a_file_ends_with_one_line_end);
    RUN(byte_order_marks_and_carriage_returns_go);
    RUN(text_that_would_get_huge_is_refused_in_time);
    if (access(CORPUS, R_OK) == 0)
        RUN(agrees_with_the_reference_on_its_own_cases);
    else
        SKIP(agrees_with_the_reference_on_its_own_cases, CORPUS " is not there");
    return REPORT();
}
