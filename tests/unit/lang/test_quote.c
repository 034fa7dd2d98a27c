#include "lang/quote.h"

#include "lang_test.h"

static void check_value(struct str literal, const char *want, size_t n)
{
    cleanup_free char *exact = xmalloc(literal.n);
    memcpy(exact, literal.p, literal.n);
    cleanup_buf struct buf out = BUF_INIT(TEST_TEXT_MAX);
    quote_value((struct str){exact, literal.n}, &out);
    CHECK_INT(out.len, n);
    CHECK(out.len == n && (n == 0 || memcmp(out.p, want, n) == 0));
}

static void check_printed(struct str s, const char *want, const char *want_ascii)
{
    cleanup_buf struct buf out = BUF_INIT(TEST_TEXT_MAX), ascii = BUF_INIT(TEST_TEXT_MAX),
                           back = BUF_INIT(TEST_TEXT_MAX);
    quote_print(s, &out);
    CHECK_STR(buf_cstr(&out), want);
    quote_print_ascii(s, &ascii);
    CHECK_STR(buf_cstr(&ascii), want_ascii);
    /* What is printed is a literal of the language, and means the same. */
    quote_value(buf_slice(&ascii), &back);
    CHECK(str_eq(buf_slice(&back), s));
}

static void escapes_have_their_values(void)
{
    check_value(STR("\"\""), "", 0);
    check_value(STR("\"a\\n\\t\\r\\\\\\\"\\a\\b\\f\\v\""), "a\n\t\r\\\"\a\b\f\v", 10);
    check_value(STR("\"\\x00\\xff\\101\\377\""),
                "\0\xff"
                "A\xff",
                4);
    check_value(STR("\"\\u00e9\\U0001F525\""), "\xc3\xa9\xf0\x9f\x94\xa5", 6);
    check_value(STR("\"\xff\""), "\xff", 1);
}

static void raw_strings_lose_carriage_returns_only(void)
{
    check_value(STR("``"), "", 0);
    check_value(STR("`a\\n\r\n\"`"), "a\\n\n\"", 5);
}

static void what_is_not_printable_is_escaped(void)
{
    check_printed(STR(""), "\"\"", "\"\"");
    check_printed(STR("a\"\\\n"), "\"a\\\"\\\\\\n\"", "\"a\\\"\\\\\\n\"");
    check_printed(STR("\0\x1b\x7f"), "\"\\x00\\x1b\\x7f\"", "\"\\x00\\x1b\\x7f\"");
    check_printed(STR("\xc3\xa9"), "\"\xc3\xa9\"", "\"\\u00e9\"");
    check_printed(STR("\xf0\x9f\x94\xa5"), "\"\xf0\x9f\x94\xa5\"", "\"\\U0001f525\"");
    check_printed(STR("\xe2\x80\xae"), "\"\\u202e\"", "\"\\u202e\""); /* turns the direction of text round */
}

static void bytes_that_are_no_text_keep_their_value(void)
{
    check_printed(STR("\xff\xc3"), "\"\\xff\\xc3\"", "\"\\xff\\xc3\"");
    check_printed(STR("\xed\xa0\x80"), "\"\\xed\\xa0\\x80\"", "\"\\xed\\xa0\\x80\"");
    check_printed(STR("\xef\xbf\xbd"), "\"\xef\xbf\xbd\"", "\"\\ufffd\""); /* U+FFFD itself */
}

static void every_byte_survives_the_way_there_and_back(void)
{
    char all[256];
    for (size_t i = 0; i < sizeof all; i++)
        all[i] = (char)i;
    cleanup_buf struct buf out = BUF_INIT(TEST_TEXT_MAX), back = BUF_INIT(TEST_TEXT_MAX);
    quote_print((struct str){all, sizeof all}, &out);
    quote_value(buf_slice(&out), &back);
    CHECK_INT(back.len, sizeof all);
    CHECK(back.len == sizeof all && memcmp(back.p, all, sizeof all) == 0);
}

int main(void)
{
    RUN(escapes_have_their_values);
    RUN(raw_strings_lose_carriage_returns_only);
    RUN(what_is_not_printable_is_escaped);
    RUN(bytes_that_are_no_text_keep_their_value);
    RUN(every_byte_survives_the_way_there_and_back);
    return REPORT();
}
