#include "lang/align.h"

#include "lang_test.h"

/* '|' ends a cell, '\n' a line, '^' a line apart from the next, '>' and '<' move the indentation. */
static void draw(const char *drawing, struct buf *out)
{
    struct align a;
    align_init(&a, out);
    for (const char *p = drawing; *p; p++) {
        if (*p == '|')
            align_cell(&a);
        else if (*p == '\n' || *p == '^')
            align_newline(&a, 1, *p == '^');
        else if (*p == '>' || *p == '<')
            a.indent += *p == '>' ? 1 : -1U;
        else
            align_text(&a, (struct str){p, 1});
    }
    align_done(&a);
}

static void check(const char *drawing, const char *want)
{
    cleanup_buf struct buf out = BUF_INIT(TEST_TEXT_MAX);
    draw(drawing, &out);
    CHECK_STR(buf_cstr(&out), want);
}

static void cells_of_neighbouring_lines_are_as_wide_as_the_widest(void)
{
    check("a|= 1\nlonger|= 2\nbb|= 3", "a      = 1\nlonger = 2\nbb     = 3");
    check("a|b|c\naa|bbb|c", "a  b   c\naa bbb c");
}

static void columns_end_where_a_line_does_not_have_them(void)
{
    check("a|1\nfree\nlong|1", "a 1\nfree\nlong 1");
    check("a|b|x\nlong|x\na|bbb|x", "a    b x\nlong x\na    bbb x");
}

static void a_line_apart_starts_new_columns(void)
{
    check("a|1^long|1", "a 1\nlong 1");
    check("a|1\nlong|1^b|1", "a    1\nlong 1\nb 1");
}

static void another_indentation_starts_new_columns(void)
{
    check("a|1\n>long|1\nx|1<\nb|1", "a 1\n\tlong 1\n\tx    1\nb 1");
    check(">>a", "\t\ta");
}

static void nothing_ends_with_blanks(void)
{
    check("a|x\nlong|y", "a    x\nlong y");
    check("a\n\nb", "a\n\nb");
    check(">a\n\nb", "\ta\n\n\tb");
    check("", "");
}

static void width_is_in_characters(void)
{
    check("\xc3\xa9\xc3\xa9|1\nabc|1", "\xc3\xa9\xc3\xa9  1\nabc 1");
    check("\xf0\x9f\x94\xa5|1\nab|1", "\xf0\x9f\x94\xa5  1\nab 1");
}

static void empty_lines_end_columns(void)
{
    cleanup_buf struct buf out = BUF_INIT(TEST_TEXT_MAX);
    struct align a;
    align_init(&a, &out);
    align_text(&a, STR("a"));
    align_cell(&a);
    align_text(&a, STR("1"));
    align_newline(&a, 3, false);
    align_text(&a, STR("long"));
    align_cell(&a);
    align_text(&a, STR("1"));
    CHECK_INT(a.line, 3);
    align_done(&a);
    CHECK_STR(buf_cstr(&out), "a 1\n\n\nlong 1");
}

static void verbatim_text_is_indented_once(void)
{
    cleanup_buf struct buf out = BUF_INIT(TEST_TEXT_MAX);
    struct align a;
    align_init(&a, &out);
    a.indent = 2;
    align_text(&a, STR("x = "));
    align_verbatim(&a, STR("`one\n  two\n\nfour`"));
    align_newline(&a, 1, false);
    align_text(&a, STR("y"));
    align_done(&a);
    CHECK_STR(buf_cstr(&out), "\t\tx = `one\n  two\n\nfour`\n\t\ty");
}

static void a_full_buffer_takes_no_more(void)
{
    cleanup_buf struct buf out = BUF_INIT(8);
    draw("aaaaaaaaaaaaaaaaaaaa|1\nb|2\nc", &out);
    CHECK(!buf_ok(&out));
    CHECK(out.len <= 8);
}

static void many_lines_of_one_column_take_linear_time(void)
{
    enum { LINES = 200000 };
    cleanup_buf struct buf out = BUF_INIT(16 << 20);
    struct align a;
    align_init(&a, &out);
    for (int i = 0; i < LINES; i++) {
        align_text(&a, STR("k"));
        align_cell(&a);
        align_text(&a, STR("v"));
        align_newline(&a, 1, false);
    }
    align_text(&a, STR("longest"));
    align_cell(&a);
    align_done(&a);
    CHECK(buf_ok(&out));
    CHECK_INT(out.len, LINES * strlen("k       v\n") + strlen("longest "));
}

int main(void)
{
    RUN(cells_of_neighbouring_lines_are_as_wide_as_the_widest);
    RUN(columns_end_where_a_line_does_not_have_them);
    RUN(a_line_apart_starts_new_columns);
    RUN(another_indentation_starts_new_columns);
    RUN(nothing_ends_with_blanks);
    RUN(width_is_in_characters);
    RUN(empty_lines_end_columns);
    RUN(verbatim_text_is_indented_once);
    RUN(a_full_buffer_takes_no_more);
    RUN(many_lines_of_one_column_take_linear_time);
    return REPORT();
}
