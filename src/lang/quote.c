#include "lang/quote.h"

#include "lang/unicode.h"

static const char escaped[] = "abfnrtv\\\"", meant[] = "\a\b\f\n\r\t\v\\\"";

static unsigned quote_hex(char c)
{
    return c <= '9' ? (unsigned)(c - '0') : (unsigned)((c | 0x20) - 'a' + 10);
}

/* `s` starts after the backslash; returns how much of it the escape took. */
static size_t quote_unescape(struct str s, struct buf *out)
{
    const char *simple = strchr(escaped, s.p[0]);
    if (simple) {
        buf_byte(out, (uint8_t)meant[simple - escaped]);
        return 1;
    }
    bool octal = s.p[0] >= '0' && s.p[0] <= '7';
    size_t first = octal ? 0 : 1, digits = octal ? 3 : s.p[0] == 'x' ? 2 : s.p[0] == 'u' ? 4 : 8;
    uint32_t value = 0;
    for (size_t i = first; i < first + digits && i < s.n; i++)
        value = value * (octal ? 8 : 16) + quote_hex(s.p[i]);
    if (octal || s.p[0] == 'x')
        buf_byte(out, (uint8_t)value);
    else
        utf8_append(out, value);
    return first + digits;
}

void quote_value(struct str literal, struct buf *out)
{
    bool raw = literal.p[0] == '`';
    struct str s = {literal.p + 1, literal.n - 2};
    for (size_t i = 0; i < s.n; i++) {
        if (!raw && s.p[i] == '\\' && i + 1 < s.n)
            i += quote_unescape((struct str){s.p + i + 1, s.n - i - 1}, out);
        else if (!raw || s.p[i] != '\r')
            buf_byte(out, (uint8_t)s.p[i]);
    }
}

static void quote_put_escaped(struct str s, bool ascii, struct buf *out)
{
    buf_byte(out, '"');
    for (size_t i = 0; i < s.n;) {
        uint32_t rune;
        size_t n = utf8_decode((struct str){s.p + i, s.n - i}, &rune);
        const char *special = rune ? memchr(meant, (int)(rune < 0x80 ? rune : 0xff), sizeof meant - 1) : NULL;
        if (rune == UNICODE_BAD && n == 1)
            buf_printf(out, "\\x%02x", (unsigned char)s.p[i]);
        else if (special)
            buf_printf(out, "\\%c", escaped[special - meant]);
        else if (unicode_is_print(rune) && !(ascii && rune >= 0x80))
            buf_append(out, s.p + i, n);
        else
            buf_printf(out, rune < 0x80 ? "\\x%02x" : rune < 0x10000 ? "\\u%04x" : "\\U%08x", rune);
        i += n;
    }
    buf_byte(out, '"');
}

void quote_print(struct str s, struct buf *out)
{
    quote_put_escaped(s, false, out);
}

void quote_print_ascii(struct str s, struct buf *out)
{
    quote_put_escaped(s, true, out);
}
