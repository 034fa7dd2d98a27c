/* The lexer on arbitrary bytes. Beyond not crashing: tokens come in order and never overlap, what lies between two is
 * blank, the end comes and stays, and an identifier is one by the other test, too. */
#include <stdint.h>
#include <stdlib.h>

#include "base/cleanup.h"
#include "lang/lexer.h"
#include "lang/quote.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void must(bool condition)
{
    if (!condition)
        abort();
}

static bool is_blank(struct str s)
{
    for (size_t i = 0; i < s.n; i++)
        if (!strchr(" \t\r\n", s.p[i]))
            return false;
    return true;
}

static void check_token(struct token t, bool sound)
{
    if (t.kind == TOKEN_IDENT)
        must(lexer_is_identifier(t.text));
    if (t.kind == TOKEN_BOOL || t.kind == TOKEN_NULL)
        must(!lexer_is_identifier(t.text));
    if (t.kind != TOKEN_STRING || !sound)
        return;
    cleanup_buf struct buf value = BUF_INIT(t.text.n * 4);
    quote_value(t.text, &value);
    must(buf_ok(&value));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const struct str mark = {"\xef\xbb\xbf", 3};
    cleanup_source struct source *s = NULL;
    cleanup_diags struct diags ds = DIAGS_INIT;
    struct lexer lx;
    if (source_new("fuzz", (struct str){(const char *)data, size}, &s, NULL) < 0)
        return 0;
    size_t at = str_has_prefix(s->text, mark) ? mark.n : 0, errors = 0;
    lexer_init(&lx, s, &ds);
    for (;;) {
        struct token t = lexer_next(&lx);
        must(token_name(t.kind) && t.offset >= at && t.offset + t.text.n <= size);
        must(is_blank((struct str){s->text.p + at, t.offset - at}));
        must(t.text.n > 0 || t.kind == TOKEN_EOF || t.kind == TOKEN_TERMINATOR);
        check_token(t, ds.len == errors);
        errors = ds.len;
        at = t.offset + t.text.n;
        if (t.kind == TOKEN_EOF)
            break;
    }
    must(at == size && lexer_next(&lx).kind == TOKEN_EOF);
    for (size_t i = 0; i < ds.len; i++)
        must(ds.items[i].range.first.offset <= size && ds.items[i].range.first.line > 0);
    return 0;
}
