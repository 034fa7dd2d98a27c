#include "lang/lexer.h"
#include "lang_test.h"

static void check_tokens(struct str text, const char *want, const char *errors)
{
    cleanup_source struct source *s = source_from("", text);
    cleanup_diags struct diags ds = DIAGS_INIT;
    cleanup_buf struct buf got = BUF_INIT(TEST_TEXT_MAX), lines = BUF_INIT(TEST_TEXT_MAX);
    struct lexer lx;
    lexer_init(&lx, s, &ds);
    for (struct token t; (t = lexer_next(&lx)).kind != TOKEN_EOF;) {
        buf_printf(&got, "%s%s", got.len ? " " : "", token_name(t.kind));
        if (t.kind == TOKEN_IDENT || t.kind == TOKEN_NUMBER || t.kind == TOKEN_FLOAT)
            buf_printf(&got, ":%.*s", STR_ARG(t.text));
    }
    CHECK_INT(lexer_next(&lx).kind, TOKEN_EOF);
    all_lines(&ds, &lines);
    CHECK_STR(buf_cstr(&got), want);
    CHECK_STR(buf_cstr(&lines), errors);
}

static void every_operator_is_a_token(void)
{
    check_tokens(STR("|| && ! != = == < <= > >= + - * / % ^ { } ( ) [ ] , ."),
                 "|| && ! != = == < <= > >= + - * / % ^ { } ( ) [ ] , .", "");
    check_tokens(STR("a=-1<=b"), "IDENT:a = - NUMBER:1 <= IDENT:b TERMINATOR", "");
}

static void words_numbers_and_strings(void)
{
    check_tokens(STR("\xc3\xa4_1 true false null nullx"), "IDENT:\xc3\xa4_1 BOOL BOOL NULL IDENT:nullx TERMINATOR", "");
    check_tokens(STR("1 1.5 .5 0. 1e3 1.e-2 1.foo 0x10"),
                 "NUMBER:1 FLOAT:1.5 FLOAT:.5 FLOAT:0. FLOAT:1e3 FLOAT:1.e-2 FLOAT:1. IDENT:foo NUMBER:0 IDENT:x10 "
                 "TERMINATOR",
                 "");
    check_tokens(STR("\"a\\\"b\" `raw\n\\`"), "STRING STRING TERMINATOR", "");
}

static void a_line_end_terminates_only_where_a_statement_may_end(void)
{
    check_tokens(STR("a\n\n\nb"), "IDENT:a TERMINATOR IDENT:b TERMINATOR", "");
    check_tokens(STR("a +\nb\r\n"), "IDENT:a + IDENT:b TERMINATOR", "");
    check_tokens(STR("{\n}\n[\n]\n(\n)\n,\n"), "{ } TERMINATOR [ ] TERMINATOR ( ) TERMINATOR ,", "");
    check_tokens(STR(""), "", "");
}

static void a_comment_ends_a_statement_where_the_line_ends(void)
{
    check_tokens(STR("a // x\nb"), "IDENT:a TERMINATOR COMMENT IDENT:b TERMINATOR", "");
    check_tokens(STR("a /* x */ /* y */\nb"), "IDENT:a TERMINATOR COMMENT COMMENT IDENT:b TERMINATOR", "");
    check_tokens(STR("a /* x */ b"), "IDENT:a COMMENT IDENT:b TERMINATOR", "");
    check_tokens(STR("a /* \n */ b"), "IDENT:a TERMINATOR COMMENT IDENT:b TERMINATOR", "");
    check_tokens(STR("a /* x */"), "IDENT:a TERMINATOR COMMENT", "");
}

static void wrong_bytes_are_reported_and_skipped(void)
{
    check_tokens(STR("\xef\xbb\xbf"
                     "a"),
                 "IDENT:a TERMINATOR", "");
    check_tokens(STR("a\xef\xbb\xbf"), "IDENT:a ILLEGAL TERMINATOR", "1:2: illegal byte order mark");
    check_tokens(STR("a \0 b"), "IDENT:a ILLEGAL IDENT:b TERMINATOR", "1:3: illegal character NUL");
    check_tokens(STR("\"\xff\" // \0"), "STRING TERMINATOR COMMENT",
                 "1:2: illegal UTF-8 encoding\n1:8: illegal character NUL");
    check_tokens(STR("a ; \x01"), "IDENT:a ILLEGAL ILLEGAL TERMINATOR",
                 "1:3: illegal character U+003B ';'\n1:5: illegal character U+0001");
}

static void literals_that_never_end(void)
{
    check_tokens(STR("\"abc"), "STRING TERMINATOR", "1:1: string literal not terminated");
    check_tokens(STR("\"abc\\"), "STRING TERMINATOR",
                 "1:6: escape sequence not terminated\n1:1: string literal not terminated");
    check_tokens(STR("`abc\n"), "STRING TERMINATOR", "1:1: string literal not terminated");
    check_tokens(STR("/* abc"), "COMMENT", "1:1: block comment not terminated");
    check_tokens(STR("'a\\'b' c"), "ILLEGAL IDENT:c TERMINATOR",
                 "1:1: illegal single-quoted string; use double quotes");
}

static void an_identifier_is_one_token_and_no_keyword(void)
{
    CHECK(lexer_is_identifier(STR("a_1")));
    CHECK(lexer_is_identifier(STR("\xc3\xa4\xd9\xa3"))); /* an Arabic digit may follow */
    CHECK(!lexer_is_identifier(STR("\xd9\xa3")));
    CHECK(!lexer_is_identifier(STR("")));
    CHECK(!lexer_is_identifier(STR("1a")));
    CHECK(!lexer_is_identifier(STR("a-b")));
    CHECK(!lexer_is_identifier(STR("a b")));
    CHECK(!lexer_is_identifier(STR("true")));
    CHECK(!lexer_is_identifier(STR("null")));
}

int main(void)
{
    RUN(every_operator_is_a_token);
    RUN(words_numbers_and_strings);
    RUN(a_line_end_terminates_only_where_a_statement_may_end);
    RUN(a_comment_ends_a_statement_where_the_line_ends);
    RUN(wrong_bytes_are_reported_and_skipped);
    RUN(literals_that_never_end);
    RUN(an_identifier_is_one_token_and_no_keyword);
    return REPORT();
}
