#include "lang/diag_text.h"
#include "lang_test.h"

static void check_pretty(const struct diags *ds, enum diag_look look, const char *want)
{
    cleanup_buf struct buf out = BUF_INIT(TEST_TEXT_MAX);
    diags_pretty(ds, look, &out);
    CHECK_STR(buf_cstr(&out), want);
}

static void check_summary(const struct diags *ds, const char *want)
{
    cleanup_buf struct buf out = BUF_INIT(TEST_TEXT_MAX);
    diags_summary(ds, &out);
    CHECK_STR(buf_cstr(&out), want);
}

static void one_line_says_as_much_of_the_place_as_is_known(void)
{
    cleanup_source struct source *named = source_from("main.alloy", STR("x\ny")), *unnamed = source_from("", STR("x"));
    const struct {
        struct range range;
        const char *want;
    } cases[] = {
        {source_range(named, 2, 2), "main.alloy:2:1: bad"},
        {source_range(unnamed, 0, 0), "1:1: bad"},
        {{.first.source = named}, "main.alloy: bad"},
        {{{0}}, "-: bad"},
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        cleanup_diags struct diags ds = DIAGS_INIT;
        diag_error(&ds, cases[i].range, "bad");
        check_summary(&ds, cases[i].want);
    }
}

static void a_summary_counts_the_rest(void)
{
    cleanup_diags struct diags ds = DIAGS_INIT, more = DIAGS_INIT;
    check_summary(&ds, "");
    diag_error(&ds, (struct range){0}, "one");
    diag_warn(&more, (struct range){0}, "two");
    diag_error(&more, (struct range){0}, "three");
    diags_move(&ds, &more);
    check_summary(&ds, "-: one (and 2 more diagnostics)");
    CHECK_INT(ds.errors, 2);
    CHECK_INT(more.len, 0);
}

static void an_excerpt_has_a_line_around_it_and_carets_below(void)
{
    cleanup_source struct source *s = source_from("f", STR("one = 1\n\ttwo = \"x\"\r\nthree = 3\nfour = 4\n"));
    cleanup_diags struct diags ds = DIAGS_INIT;
    diag_error(&ds, source_range(s, 15, 17), "bad");
    diag_warn(&ds, ((struct range){.first = source_pos(s, 0)}), "odd");
    check_pretty(&ds, DIAG_AS_IS,
                 "Error: f:2:8: bad\n\n"
                 "1 | one = 1\n2 |     two = \"x\"\n  |           ^^^\n3 | three = 3\n"
                 "\n"
                 "Warning: f:1:1: odd\n\n"
                 "1 | one = 1\n  | ^\n2 |     two = \"x\"\n");
}

static void line_numbers_are_aligned(void)
{
    cleanup_source struct source *s = source_from("f", STR("\n\n\n\n\n\n\n\nnine\nten\n"));
    cleanup_diags struct diags ds = DIAGS_INIT;
    diag_error(&ds, source_range(s, 8, 11), "bad");
    check_pretty(&ds, DIAG_AS_IS, "Error: f:9:1: bad\n\n 8 | \n 9 | nine\n   | ^^^^\n10 | ten\n");
}

static void a_range_over_lines_is_bracketed(void)
{
    cleanup_source struct source *s = source_from("f", STR("a\nblock {\n\tx = 1\n\t}\nb"));
    cleanup_diags struct diags ds = DIAGS_INIT;
    diag_error(&ds, source_range(s, 4, 18), "bad");
    check_pretty(&ds, DIAG_AS_IS,
                 "Error: f:2:3: bad\n\n"
                 "1 |   a\n"
                 "2 |   block {\n"
                 "  |  ___^^^^^\n"
                 "3 | |     x = 1\n"
                 "4 | |     }\n"
                 "  | |_____^\n"
                 "5 |   b\n");
}

static void without_a_place_there_is_no_excerpt(void)
{
    cleanup_diags struct diags ds = DIAGS_INIT;
    diag_error(&ds, (struct range){0}, "cycle: %s", "a, b");
    check_pretty(&ds, DIAG_AS_IS, "Error: -: cycle: a, b\n");
    check_pretty(&ds, DIAG_COLOUR, "\033[31;1mError: \033[0m\033[1m-: cycle: a, b\n\033[0m");
}

static void a_flood_is_counted_but_not_kept(void)
{
    cleanup_diags struct diags ds = DIAGS_INIT;
    for (int i = 0; i < 5000; i++)
        diag_error(&ds, (struct range){0}, "bad");
    CHECK_INT(ds.errors, 5000);
    CHECK(ds.len <= 1000);
}

static void an_excerpt_of_a_huge_line_is_cut_around_the_mark(void)
{
    enum { HUGE_LINE = 100000, MARK = 50000 };
    cleanup_buf struct buf text = BUF_INIT(HUGE_LINE), out = BUF_INIT(HUGE_LINE);
    for (int i = 0; i < HUGE_LINE; i++)
        buf_byte(&text, i == MARK ? 'X' : 'a');
    cleanup_source struct source *s = source_from("f", buf_slice(&text));
    cleanup_diags struct diags ds = DIAGS_INIT;
    diag_error(&ds, source_range(s, MARK, MARK), "here");
    diags_pretty(&ds, DIAG_AS_IS, &out);
    CHECK(out.len < 2000);
    char *lines = strstr(buf_cstr(&out), "1 | "), *marks = lines ? strstr(lines, "\n") : NULL;
    CHECK(marks != NULL);
    if (!marks)
        return;
    CHECK_HAS(lines, "…aaa");
    /* The cut is one character of three bytes. */
    CHECK_INT(strchr(marks, '^') - marks - 1, strchr(lines, 'X') - lines - 2);
}

static void a_terminal_gets_no_control_of_the_file(void)
{
    cleanup_source struct source *s = source_from("f\033[2J", STR("x = \"\033[31m\xc2\x9bH\xff\" y\n"));
    cleanup_diags struct diags ds = DIAGS_INIT;
    diag_error(&ds, source_range(s, 15, 15), "bad \"\a\"");
    check_pretty(
        &ds, DIAG_AS_IS,
        "Error: f\033[2J:1:16: bad \"\a\"\n\n1 | x = \"\033[31m\xc2\x9bH\xff\" y\n  |               ^\n2 | \n");
    check_pretty(&ds, DIAG_TERMINAL,
                 "Error: f\\x1b[2J:1:16: bad \"\\x07\"\n\n"
                 "1 | x = \"\\x1b[31m\\xc2\\x9bH\\xff\" y\n"
                 "  |                            ^\n2 | \n");
}

int main(void)
{
    RUN(one_line_says_as_much_of_the_place_as_is_known);
    RUN(a_summary_counts_the_rest);
    RUN(an_excerpt_has_a_line_around_it_and_carets_below);
    RUN(line_numbers_are_aligned);
    RUN(a_range_over_lines_is_bracketed);
    RUN(without_a_place_there_is_no_excerpt);
    RUN(a_flood_is_counted_but_not_kept);
    RUN(an_excerpt_of_a_huge_line_is_cut_around_the_mark);
    RUN(a_terminal_gets_no_control_of_the_file);
    return REPORT();
}
