#include "jfr/text.h"

#include <stdlib.h>
#include <string.h>

#include "test.h"

static void check_text(const char *bytes, size_t n, const char *want)
{
    struct jfr_string s;
    struct buf out = BUF_INIT(256);
    const uint8_t *p = (const uint8_t *)bytes;
    CHECK(jfr_string_read(p, p + n, &s) == p + n);
    jfr_string_decode(&s, &out);
    CHECK_STR(buf_cstr(&out), want);
    buf_done(&out);
    for (size_t cut = 0; cut < n; cut++)
        CHECK(!jfr_string_read(p, p + cut, &s));
}
#define CHECK_TEXT(bytes, want) check_text(bytes, sizeof(bytes) - 1, want)

static void every_encoding_is_read(void)
{
    CHECK_TEXT("\0", "");
    CHECK_TEXT("\1", "");
    CHECK_TEXT("\3\5hello", "hello");
    CHECK_TEXT("\3\2\xc3\xa9", "\xc3\xa9");
    CHECK_TEXT("\4\2h\xe9\1", "h\xc3\xa9");
    CHECK_TEXT("\5\2h\xe9", "h\xc3\xa9");
}

static void a_pooled_string_is_a_key(void)
{
    static const uint8_t bytes[] = {2, 0x85, 1};
    struct jfr_string s;
    CHECK(jfr_string_read(bytes, bytes + sizeof bytes, &s) == bytes + sizeof bytes);
    CHECK_INT(s.kind, JFR_STRING_POOLED);
    CHECK_INT(s.key, 133);
}

static void halves_of_a_character_are_joined(void)
{
    CHECK_TEXT("\4\2\xbd\xb0\3\x80\xbc\3", "\xf0\x9f\x98\x80");     /* two UTF-16 units */
    CHECK_TEXT("\3\6\xed\xa0\xbd\xed\xb8\x80", "\xf0\x9f\x98\x80"); /* modified UTF-8 */
}

static void what_is_no_character_is_replaced(void)
{
    CHECK_TEXT("\3\3"
               "a\xc3"
               "b",
               "a\xef\xbf\xbd"
               "b");
    CHECK_TEXT("\3\2a\xe2", "a\xef\xbf\xbd"); /* cut */
    CHECK_TEXT("\4\1\xbd\xb0\3", "\xef\xbf\xbd");
    CHECK_TEXT("\3\3\xed\xa0\xbd", "\xef\xbf\xbd");
}

static void unknown_kinds_are_refused(void)
{
    static const uint8_t bytes[] = {6, 0, 0};
    CHECK(!jfr_string_read(bytes, bytes + sizeof bytes, NULL));
}

static void plain_ascii_is_used_in_place(void)
{
    CHECK(jfr_string_is_plain(&(struct jfr_string){.kind = JFR_STRING_UTF8, .text = STR("abc")}));
    CHECK(jfr_string_is_plain(&(struct jfr_string){.kind = JFR_STRING_LATIN1, .text = STR("abc")}));
    CHECK(!jfr_string_is_plain(&(struct jfr_string){.kind = JFR_STRING_LATIN1, .text = STR("\xe9")}));
    CHECK(jfr_string_is_plain(&(struct jfr_string){.kind = JFR_STRING_CHARS, .text = STR("abc")}));
    CHECK(
        !jfr_string_is_plain(&(struct jfr_string){.kind = JFR_STRING_CHARS, .text = STR("\xe1\x00")})); /* over-long */
}

static void every_byte_of_plain_text_is_looked_at(void)
{
    for (size_t n = 0; n < 40; n++) {
        char *exact = malloc(n + 1); /* a sanitizer sees what is read in front of the text and behind */
        const struct jfr_string s = {.kind = JFR_STRING_LATIN1, .text = {exact + 1, n}};
        memset(exact, 'x', n + 1);
        CHECK(jfr_string_is_plain(&s));
        for (size_t i = 1; i <= n; i++) {
            exact[i] = '\x80';
            CHECK(!jfr_string_is_plain(&s));
            exact[i] = 'x';
        }
        free(exact);
    }
    CHECK(jfr_string_is_plain(&(struct jfr_string){.kind = JFR_STRING_NULL}));
}

int main(void)
{
    RUN(every_encoding_is_read);
    RUN(a_pooled_string_is_a_key);
    RUN(halves_of_a_character_are_joined);
    RUN(what_is_no_character_is_replaced);
    RUN(unknown_kinds_are_refused);
    RUN(plain_ascii_is_used_in_place);
    RUN(every_byte_of_plain_text_is_looked_at);
    return REPORT();
}
