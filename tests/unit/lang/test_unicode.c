#include "lang/unicode.h"

#include "lang/quote.h"
#include "lang_test.h"

static void every_character_survives_a_round_trip(void)
{
    for (uint32_t r = 0; r <= UNICODE_MAX; r++) {
        uint32_t back;
        uint8_t bytes[8] = {0};
        struct buf b = {.p = bytes, .cap = sizeof bytes, .max = sizeof bytes - 1};
        utf8_append(&b, r);
        bool surrogate = r >= 0xd800 && r <= 0xdfff;
        size_t n = utf8_decode(buf_slice(&b), &back);
        if (n != b.len || back != (surrogate ? UNICODE_BAD : r)) {
            FAIL_("U+%04X came back as U+%04X", r, back);
            return;
        }
    }
}

static void wrong_bytes_are_one_bad_character_each(void)
{
    static const char *const wrong[] = {"\x80",         "\xc0\x80",         "\xc3", "\xe0\x80\x80",
                                        "\xed\xa0\x80", "\xf4\x90\x80\x80", "\xff", "\xe2\x82"};
    for (size_t i = 0; i < ARRAY_LEN(wrong); i++) {
        uint32_t rune;
        CHECK_INT(utf8_decode(str_of(wrong[i]), &rune), 1);
        CHECK_INT(rune, UNICODE_BAD);
    }
    uint32_t rune;
    CHECK_INT(utf8_decode(STR("\xef\xbf\xbd"), &rune), 3); /* the real one */
    CHECK_INT(utf8_decode(STR(""), &rune), 0);
}

static void classes_go_beyond_ascii(void)
{
    CHECK(unicode_is_letter('a') && unicode_is_letter(0xe4) && unicode_is_letter(0x4e2d) && unicode_is_letter(0x20000));
    CHECK(!unicode_is_letter('1') && !unicode_is_letter('_') && !unicode_is_letter(0x300) && !unicode_is_letter(0x663));
    CHECK(unicode_is_digit('7') && unicode_is_digit(0x663) && !unicode_is_digit(0xb2));
    CHECK(unicode_is_print('~') && unicode_is_print(0x20ac) && unicode_is_print(0x1f600));
    CHECK(!unicode_is_print(0x7f) && !unicode_is_print(0xa0) && !unicode_is_print(0x200b) && !unicode_is_print(0x378));
    CHECK(unicode_is_space(0xa0) && unicode_is_space('\v') && !unicode_is_space(0x200b));
}

static void quoting_escapes_what_is_not_printable(void)
{
    cleanup_buf struct buf out = BUF_INIT(100);
    quote_print(STR("a\0\x7f\xff\"\\\n\xc3\xa4\xe2\x80\x8b\xf3\xa0\x80\x81"), &out);
    CHECK_STR(buf_cstr(&out), "\"a\\x00\\x7f\\xff\\\"\\\\\\n\xc3\xa4\\u200b\\U000e0001\"");
}

static void a_literal_has_the_value_its_escapes_say(void)
{
    static const struct {
        const char *literal, *value;
    } cases[] = {
        {"\"\"", ""},
        {"\"\\a\\b\\f\\n\\r\\t\\v\\\\\\\"\"", "\a\b\f\n\r\t\v\\\""},
        {"\"\\101\\x41\\u0041\\U00000041\"", "AAAA"},
        {"\"\\u20ac\"", "\xe2\x82\xac"},
        {"`a\\n\r\n`", "a\\n\n"},
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        cleanup_buf struct buf out = BUF_INIT(100);
        quote_value(str_of(cases[i].literal), &out);
        CHECK_STR(buf_cstr(&out), cases[i].value);
    }
}

int main(void)
{
    RUN(every_character_survives_a_round_trip);
    RUN(wrong_bytes_are_one_bad_character_each);
    RUN(classes_go_beyond_ascii);
    RUN(quoting_escapes_what_is_not_printable);
    RUN(a_literal_has_the_value_its_escapes_say);
    return REPORT();
}
