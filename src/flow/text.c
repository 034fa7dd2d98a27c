#include "flow/text.h"

#include <locale.h>
#include <wctype.h>

enum { RUNE_BROKEN = 0xfffd };

/* NULL where the C library has no such locale: then only ASCII has case. Kept for the life of the program. */
static locale_t text_unicode(void)
{
    static locale_t loaded;
    static bool tried;
    if (!tried) {
        tried = true;
        loaded = newlocale(LC_CTYPE_MASK, "C.UTF-8", (locale_t)0);
    }
    return loaded;
}

uint32_t text_rune(struct str s, size_t *size)
{
    const uint8_t *p = (const uint8_t *)s.p;
    *size = 1;
    if (p[0] < 0x80)
        return p[0];
    const size_t n = p[0] >= 0xf0 ? 4 : p[0] >= 0xe0 ? 3 : 2;
    if (n > s.n || !str_is_utf8((struct str){s.p, n}))
        return RUNE_BROKEN;
    uint32_t rune = p[0] & (0xffu >> (n + 1));
    for (size_t i = 1; i < n; i++)
        rune = rune << 6 | (p[i] & 0x3f);
    *size = n;
    return rune;
}

static void put_rune(uint32_t r, struct buf *out)
{
    if (r < 0x80) {
        buf_byte(out, (uint8_t)r);
        return;
    }
    uint8_t bytes[4];
    const size_t n = r < 0x800 ? 2 : r < 0x10000 ? 3 : 4;
    for (size_t i = n; i-- > 1; r >>= 6)
        bytes[i] = (uint8_t)(0x80 | (r & 0x3f));
    bytes[0] = (uint8_t)(0xf00u >> n | r);
    buf_append(out, bytes, n);
}

bool text_is_word(uint32_t rune)
{
    if (rune < 0x80)
        return rune == '_' || (rune >= '0' && rune <= '9') || ((rune | 0x20) >= 'a' && (rune | 0x20) <= 'z');
    return rune != RUNE_BROKEN && text_unicode() && iswalnum_l((wint_t)rune, text_unicode());
}

static uint32_t text_lower_rune(uint32_t r)
{
    if (r < 0x80)
        return r >= 'A' && r <= 'Z' ? r | 0x20 : r;
    return text_unicode() ? (uint32_t)towlower_l((wint_t)r, text_unicode()) : r;
}

static uint32_t text_upper_rune(uint32_t r)
{
    if (r < 0x80)
        return r >= 'a' && r <= 'z' ? r & ~0x20u : r;
    return text_unicode() ? (uint32_t)towupper_l((wint_t)r, text_unicode()) : r;
}

static uint32_t text_same(uint32_t r)
{
    return r;
}

static void text_map(struct str s, uint32_t (*to)(uint32_t), struct buf *out)
{
    for (size_t at = 0, size; at < s.n; at += size)
        put_rune(to(text_rune((struct str){s.p + at, s.n - at}, &size)), out);
}

void text_lower(struct str s, struct buf *out)
{
    text_map(s, text_lower_rune, out);
}

void text_upper(struct str s, struct buf *out)
{
    text_map(s, text_upper_rune, out);
}

void text_mend(struct str s, struct buf *out)
{
    text_map(s, text_same, out);
}
