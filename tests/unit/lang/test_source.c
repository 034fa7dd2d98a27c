#include <errno.h>

#include "lang/diag_text.h"
#include "lang_test.h"

static void a_position_counts_bytes_from_one(void)
{
    cleanup_source struct source *s = source_from("f", STR("\xc3\xa4 b\n\ncd\n"));
    struct pos p = source_pos(s, 3);
    CHECK_INT(p.line, 1);
    CHECK_INT(p.column, 4);
    p = source_pos(s, 5);
    CHECK_INT(p.line, 2);
    CHECK_INT(p.column, 1);
    p = source_pos(s, s->text.n);
    CHECK_INT(p.line, 4);
    CHECK_INT(p.column, 1);
}

static void a_line_comes_without_its_end(void)
{
    cleanup_source struct source *s = source_from("f", STR("one\n\nthree"));
    CHECK(str_is(source_line(s, 1), "one"));
    CHECK_INT(source_line(s, 2).n, 0);
    CHECK(str_is(source_line(s, 3), "three"));
    CHECK_INT(source_line(s, 4).n, 0);
    CHECK_INT(source_line(s, 0).n, 0);
}

static void a_file_beyond_the_limit_is_refused(void)
{
    cleanup_free char *text = xcalloc(1, SOURCE_MAX + 1);
    struct source *s = NULL;
    struct err err = {0};
    CHECK_INT(source_new("big.alloy", (struct str){text, SOURCE_MAX + 1}, &s, &err), -EFBIG);
    CHECK_HAS(err.text, "the file has 4194305 bytes");
    CHECK(s == NULL);
}

static void only_utf8_is_accepted(void)
{
    static const struct {
        struct str text;
        const char *error; /* NULL: fine */
    } cases[] = {
        {STR(""), NULL},
        {STR("\xef\xbb\xbf x = \"\xc3\xa4\""), NULL},
        {STR("\xff\xfex\0"), "configuration is encoded with UTF-16LE but must be utf8"},
        {STR("\xfe\xff\0x"), "configuration is encoded with UTF-16BE but must be utf8"},
        {STR("\xff\xfe\0\0x\0\0\0"), "configuration is encoded with UTF-32LE but must be utf8"},
        {STR("\0\0\xfe\xff\0\0\0x"), "configuration is encoded with UTF-32BE but must be utf8"},
        {STR("x = \"\xe4\""), "unknown encoding for config"},
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct err err = {0};
        CHECK_INT(source_check_encoding(cases[i].text, &err), cases[i].error ? -EILSEQ : 0);
        CHECK_STR(err.text, cases[i].error ? cases[i].error : "");
    }
}

static void the_last_reference_frees(void)
{
    struct source *s = source_from("f", STR("x"));
    CHECK(source_ref(s) == s);
    source_unref(s);
    CHECK_STR(s->name, "f");
    source_unref(s);
    source_unref(NULL);
}

static void a_diagnostic_holds_its_source(void)
{
    struct source *s = source_from("f", STR("x = 1"));
    struct diags ds = DIAGS_INIT, moved = DIAGS_INIT;
    cleanup_buf struct buf out = BUF_INIT(100);
    diag_error(&ds, source_range(s, 0, 0), "no");
    source_unref(s);
    diags_move(&moved, &ds);
    diags_pretty(&moved, DIAG_AS_IS, &out);
    CHECK_STR(buf_cstr(&out), "Error: f:1:1: no\n\n1 | x = 1\n  | ^\n");
    diags_done(&moved);
}

int main(void)
{
    RUN(a_position_counts_bytes_from_one);
    RUN(a_line_comes_without_its_end);
    RUN(a_file_beyond_the_limit_is_refused);
    RUN(only_utf8_is_accepted);
    RUN(the_last_reference_frees);
    RUN(a_diagnostic_holds_its_source);
    return REPORT();
}
