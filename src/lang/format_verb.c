#include "lang/format_verb.h"

#include "lang/unicode.h"

static size_t format_verb_runes(struct str s)
{
    size_t n = 0;
    uint32_t rune;
    for (size_t i = 0; i < s.n; n++)
        i += utf8_decode((struct str){s.p + i, s.n - i}, &rune);
    return n;
}

static void format_verb_repeat(struct buf *out, char c, size_t n)
{
    while (n-- && buf_ok(out))
        buf_byte(out, (uint8_t)c);
}

void format_pad(const struct verb *f, struct str s, struct buf *out)
{
    size_t runes = format_verb_runes(s), gap = f->width > 0 && (size_t)f->width > runes ? (size_t)f->width - runes : 0;
    if (!f->minus)
        format_verb_repeat(out, f->zero ? '0' : ' ', gap);
    buf_str(out, s);
    if (f->minus)
        format_verb_repeat(out, ' ', gap);
}
