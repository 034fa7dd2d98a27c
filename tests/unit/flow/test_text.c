#include "flow/text.h"
#include "test.h"

static void check(void (*map)(struct str, struct buf *), struct str in, const char *want)
{
    cleanup_buf struct buf out = BUF_INIT(1000);
    map(in, &out);
    CHECK_STR(buf_cstr(&out), want);
}

static void case_is_mapped_rune_by_rune(void)
{
    check(text_lower, STR("Grüße ÄÖ ΑΩ Ж 𐐀 42"), "grüße äö αω ж 𐐨 42");
    check(text_upper, STR("Grüße äö αω ж 𐐨 42"), "GRÜßE ÄÖ ΑΩ Ж 𐐀 42");
}

static void broken_sequences_become_replacement_characters(void)
{
    check(text_mend, STR("a\xff\xc3(\xe2\x82"), "a\xef\xbf\xbd\xef\xbf\xbd(\xef\xbf\xbd\xef\xbf\xbd");
    check(text_lower, STR("A\x80Z"), "a\xef\xbf\xbdz");
    check(text_mend, STR("fine, é, 𐐀"), "fine, é, 𐐀");
    check(text_mend, STR("\xed\xa0\x80"), "\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd"); /* half a surrogate pair */
}

static void letters_digits_and_underscores_make_words(void)
{
    size_t size;
    CHECK(text_is_word(text_rune(STR("é"), &size)));
    CHECK_INT(size, 2);
    CHECK(text_is_word('_') && text_is_word('z') && text_is_word('Z') && text_is_word('0'));
    CHECK(!text_is_word('-') && !text_is_word('@') && !text_is_word('[') && !text_is_word('`') && !text_is_word('{'));
    CHECK(!text_is_word(text_rune(STR("€"), &size)));
    CHECK_INT(size, 3);
    CHECK(!text_is_word(text_rune(STR("\xff"), &size)));
    CHECK_INT(size, 1);
}

int main(void)
{
    RUN(case_is_mapped_rune_by_rune);
    RUN(broken_sequences_become_replacement_characters);
    RUN(letters_digits_and_underscores_make_words);
    return REPORT();
}
