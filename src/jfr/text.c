#include "jfr/text.h"

#include "jfr/varint.h"

static const uint32_t REPLACEMENT = 0xfffd;

static bool jfr_text_is_high_surrogate(uint32_t c)
{
    return c >= 0xd800 && c < 0xdc00;
}

static bool jfr_text_is_low_surrogate(uint32_t c)
{
    return c >= 0xdc00 && c < 0xe000;
}

static const uint8_t *jfr_text_read_chars(const uint8_t *p, const uint8_t *end, struct str *text)
{
    uint64_t count;
    p = jfr_varint(p, end, &count);
    if (!p || count > (uint64_t)(end - p))
        return NULL;
    const uint8_t *after = jfr_varint_skip(p, end, count);
    if (after)
        *text = (struct str){(const char *)p, (size_t)(after - p)};
    return after;
}

static const uint8_t *jfr_text_read_bytes(const uint8_t *p, const uint8_t *end, struct str *text)
{
    uint64_t len;
    p = jfr_varint(p, end, &len);
    if (!p || len > (uint64_t)(end - p))
        return NULL;
    *text = (struct str){(const char *)p, (size_t)len};
    return p + len;
}

const uint8_t *jfr_string_read(const uint8_t *p, const uint8_t *end, struct jfr_string *ret)
{
    if (!p || p >= end)
        return NULL;
    struct jfr_string s = {.kind = *p++, .text = STR("")};
    switch (s.kind) {
    case JFR_STRING_NULL:
    case JFR_STRING_EMPTY:
        break;
    case JFR_STRING_POOLED:
        p = jfr_varint(p, end, &s.key);
        break;
    case JFR_STRING_CHARS:
        p = jfr_text_read_chars(p, end, &s.text);
        break;
    case JFR_STRING_UTF8:
    case JFR_STRING_LATIN1:
        p = jfr_text_read_bytes(p, end, &s.text);
        break;
    default:
        return NULL;
    }
    if (p && ret)
        *ret = s;
    return p;
}

static void jfr_text_put_char(struct buf *out, uint32_t c)
{
    if (c > 0x10ffff || (c >= 0xd800 && c < 0xe000))
        c = REPLACEMENT;
    if (c < 0x80) {
        buf_byte(out, (uint8_t)c);
    } else if (c < 0x800) {
        buf_byte(out, (uint8_t)(0xc0 | c >> 6));
        buf_byte(out, (uint8_t)(0x80 | (c & 0x3f)));
    } else {
        if (c < 0x10000) {
            buf_byte(out, (uint8_t)(0xe0 | c >> 12));
        } else {
            buf_byte(out, (uint8_t)(0xf0 | c >> 18));
            buf_byte(out, (uint8_t)(0x80 | (c >> 12 & 0x3f)));
        }
        buf_byte(out, (uint8_t)(0x80 | (c >> 6 & 0x3f)));
        buf_byte(out, (uint8_t)(0x80 | (c & 0x3f)));
    }
}

/* Joins the two halves of a character outside the basic plane; `half` carries the first one over, 0 = none. */
static void jfr_text_put_utf16(struct buf *out, uint32_t unit, uint32_t *half)
{
    if (*half && jfr_text_is_low_surrogate(unit)) {
        jfr_text_put_char(out, 0x10000 + ((*half - 0xd800) << 10) + (unit - 0xdc00));
        *half = 0;
        return;
    }
    if (*half)
        jfr_text_put_char(out, REPLACEMENT);
    *half = jfr_text_is_high_surrogate(unit) ? unit : 0;
    if (!*half)
        jfr_text_put_char(out, unit);
}

static void jfr_text_decode_chars(struct str text, struct buf *out)
{
    const uint8_t *p = (const uint8_t *)text.p, *end = p + text.n;
    uint32_t half = 0;
    while (p && p < end) {
        uint64_t unit;
        p = jfr_varint(p, end, &unit);
        jfr_text_put_utf16(out, unit > 0xffff ? REPLACEMENT : (uint32_t)unit, &half);
    }
    if (half)
        jfr_text_put_char(out, REPLACEMENT);
}

/* One character of (modified) UTF-8, its length in bytes in *n; a byte that starts none counts alone. */
static uint32_t jfr_text_utf8_char(const uint8_t *p, const uint8_t *end, unsigned *n)
{
    static const uint8_t lengths[16] = {1, 1, 1, 1, 1, 1, 1, 1, 0, 0, 0, 0, 2, 2, 3, 4};
    static const uint8_t masks[5] = {0, 0x7f, 0x1f, 0x0f, 0x07};
    unsigned len = lengths[*p >> 4];
    *n = 1;
    if (len == 0 || len > (size_t)(end - p) || *p >= 0xf8)
        return REPLACEMENT;
    uint32_t c = *p & masks[len];
    for (unsigned i = 1; i < len; i++) {
        if ((p[i] & 0xc0) != 0x80)
            return REPLACEMENT;
        c = c << 6 | (p[i] & 0x3f);
    }
    *n = len;
    return c;
}

static void jfr_text_decode_utf8(struct str text, struct buf *out)
{
    const uint8_t *p = (const uint8_t *)text.p, *end = p + text.n;
    uint32_t half = 0;
    while (p < end) {
        unsigned n;
        uint32_t c = jfr_text_utf8_char(p, end, &n);
        p += n;
        if (c > 0xffff && !half)
            jfr_text_put_char(out, c);
        else
            jfr_text_put_utf16(out, c > 0xffff ? REPLACEMENT : c, &half);
    }
    if (half)
        jfr_text_put_char(out, REPLACEMENT);
}

/* The last bytes are looked at together with some before them. */
static bool jfr_text_is_ascii(struct str s)
{
    if (s.n == 0)
        return true;
    const uint8_t *p = (const uint8_t *)s.p, *const end = p + s.n;
    uint64_t any = 0;
    if (s.n >= sizeof any) {
        for (; (size_t)(end - p) > sizeof any; p += sizeof any)
            any |= jfr_load64(p);
        any |= jfr_load64(end - sizeof any);
    } else {
        any = str_short_word(s);
    }
    return (any & JFR_VARINT_HIGH) == 0;
}

bool jfr_string_is_plain(const struct jfr_string *s)
{
    return jfr_text_is_ascii(s->text); /* UTF-16 units below 128 take one byte each, too */
}

bool jfr_string_ascii(const uint8_t *p, const uint8_t *end, struct str *ret)
{
    uint64_t len;
    if (!p || p >= end || (*p != JFR_STRING_UTF8 && *p != JFR_STRING_LATIN1 && *p != JFR_STRING_CHARS))
        return false;
    p = jfr_varint(p + 1, end, &len);
    if (!p || len > (uint64_t)(end - p))
        return false;
    *ret = (struct str){(const char *)p, (size_t)len};
    return jfr_text_is_ascii(*ret);
}

void jfr_string_decode(const struct jfr_string *s, struct buf *out)
{
    if (jfr_string_is_plain(s)) {
        buf_str(out, s->text);
        return;
    }
    switch (s->kind) {
    case JFR_STRING_UTF8:
        jfr_text_decode_utf8(s->text, out);
        break;
    case JFR_STRING_CHARS:
        jfr_text_decode_chars(s->text, out);
        break;
    case JFR_STRING_LATIN1:
        for (size_t i = 0; i < s->text.n; i++)
            jfr_text_put_char(out, (uint8_t)s->text.p[i]);
        break;
    case JFR_STRING_NULL:
    case JFR_STRING_EMPTY:
    case JFR_STRING_POOLED:
        break;
    }
}
