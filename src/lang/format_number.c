#include "lang/format_number.h"

#include <math.h>
#include <stdio.h>

#include "lang/number.h"
#include "lang/quote.h"
#include "lang/unicode.h"

enum {
    WIDTH_MAX = 10000009,
    DEFAULT_PRECISION = 6,
    INTEGER_TEXT_MAX = 80,
    FLOAT_TEXT_MAX = 4096,
    PRECISION_MAX = 1500, /* no double has more decimals */
    MANTISSA_BITS = 52,
    HEX_DIGITS = MANTISSA_BITS / 4,
    EXPONENT_BIAS = 1023,
};

/* --- integers --- */

static size_t digits_of(uint64_t u, unsigned base, bool upper, char text[INTEGER_TEXT_MAX])
{
    size_t n = INTEGER_TEXT_MAX;
    do {
        text[--n] = (upper ? "0123456789ABCDEF" : "0123456789abcdef")[u % base];
        u /= base;
    } while (u);
    return n;
}

static void format_number_zeros(struct buf *out, size_t n)
{
    while (n-- && buf_ok(out))
        buf_byte(out, '0');
}

static void format_number_based(const struct verb *f, uint64_t u, bool negative, unsigned base, const char *prefix,
                                struct buf *out)
{
    char text[INTEGER_TEXT_MAX];
    size_t first = digits_of(u, base, f->rune == 'X', text), n = INTEGER_TEXT_MAX - first;
    const char *sign = negative ? "-" : f->plus ? "+" : f->space ? " " : "";
    size_t least = f->precision > 0 ? (size_t)f->precision : 0;
    if (f->precision < 0 && f->zero && f->width > 0)
        least = (size_t)f->width - (strlen(sign) < (size_t)f->width ? strlen(sign) : 0);
    cleanup_buf struct buf b = BUF_INIT(WIDTH_MAX + INTEGER_TEXT_MAX);
    struct verb blanks = *f;
    blanks.zero = false;
    if (f->precision != 0 || u != 0) {
        bool leading = least > n || text[first] == '0';
        buf_puts(&b, sign);
        if (base == 8 && f->rune == 'O')
            buf_puts(&b, "0o");
        if (base != 8 || (f->sharp && !leading))
            buf_puts(&b, prefix);
        format_number_zeros(&b, least > n ? least - n : 0);
        buf_append(&b, text + first, n);
    }
    format_pad(&blanks, buf_slice(&b), out);
}

static void quoted_rune(const struct verb *f, uint32_t rune, struct buf *out)
{
    cleanup_buf struct buf text = BUF_INIT(INTEGER_TEXT_MAX), quoted = BUF_INIT(INTEGER_TEXT_MAX);
    utf8_append(&text, rune);
    if (f->plus)
        quote_print_ascii(buf_slice(&text), &quoted);
    else
        quote_print(buf_slice(&text), &quoted);
    buf_byte(out, '\'');
    if (rune == '\'' || rune == '"')
        buf_puts(out, rune == '"' ? "\"" : "\\'");
    else
        buf_append(out, quoted.p + 1, quoted.len - 2);
    buf_byte(out, '\'');
}

static void format_number_character(const struct verb *f, uint64_t u, bool negative, struct buf *out)
{
    bool good = !negative && u <= UNICODE_MAX && !(u >= 0xd800 && u <= 0xdfff);
    uint32_t rune = good ? (uint32_t)u : UNICODE_BAD;
    cleanup_buf struct buf b = BUF_INIT(WIDTH_MAX + INTEGER_TEXT_MAX);
    struct verb padding = *f;
    if (f->rune == 'U') {
        buf_printf(&b, "U+%0*llX", f->precision > 4 ? f->precision : 4, (unsigned long long)(negative ? -u : u));
        if (f->sharp && good && unicode_is_print(rune)) {
            buf_puts(&b, " '");
            utf8_append(&b, rune);
            buf_byte(&b, '\'');
        }
        padding.zero = false;
    } else if (f->rune == 'q') {
        quoted_rune(f, rune, &b);
    } else {
        utf8_append(&b, rune);
    }
    format_pad(&padding, buf_slice(&b), out);
}

bool format_integer(const struct verb *f, uint64_t u, bool negative, struct buf *out)
{
    switch (f->rune) {
    case 'v':
    case 'd':
        format_number_based(f, u, negative, 10, "", out);
        return true;
    case 'b':
        format_number_based(f, u, negative, 2, f->sharp ? "0b" : "", out);
        return true;
    case 'o':
    case 'O':
        format_number_based(f, u, negative, 8, "0", out);
        return true;
    case 'x':
        format_number_based(f, u, negative, 16, f->sharp ? "0x" : "", out);
        return true;
    case 'X':
        format_number_based(f, u, negative, 16, f->sharp ? "0X" : "", out);
        return true;
    case 'c':
    case 'q':
    case 'U':
        format_number_character(f, u, negative, out);
        return true;
    default:
        return false;
    }
}

/* --- floats --- */

/* d = mantissa * 2^exponent; d is finite and not negative. */
static uint64_t mantissa_of(double d, int *exponent)
{
    uint64_t bits;
    memcpy(&bits, &d, sizeof bits);
    int biased = (int)(bits >> MANTISSA_BITS);
    bits &= (UINT64_C(1) << MANTISSA_BITS) - 1;
    if (biased)
        bits |= UINT64_C(1) << MANTISSA_BITS;
    *exponent = (biased ? biased : 1) - EXPONENT_BIAS - MANTISSA_BITS;
    return bits;
}

/* 0x1.8p+01: one digit, never 0 but for zero, before the point; an exponent of two digits at least. */
static void format_number_hexadecimal(double d, int precision, bool upper, struct buf *out)
{
    int exponent;
    uint64_t m = mantissa_of(d, &exponent);
    exponent += MANTISSA_BITS;
    for (; m && !(m >> MANTISSA_BITS); m <<= 1)
        exponent--;
    if (m == 0)
        exponent = 0;
    if (precision >= 0 && precision < HEX_DIGITS) {
        unsigned drop = 4 * (unsigned)(HEX_DIGITS - precision);
        uint64_t unit = UINT64_C(1) << drop, rest = m & (unit - 1), half = unit >> 1;
        m -= rest;
        if (rest > half || (rest == half && (m & unit)))
            m += unit;
        if (m >> (MANTISSA_BITS + 1)) {
            m >>= 1;
            exponent++;
        }
    }
    const char *digits = upper ? "0123456789ABCDEF" : "0123456789abcdef";
    buf_puts(out, upper ? "0X" : "0x");
    buf_byte(out, m ? '1' : '0');
    uint64_t fraction = m << (64 - MANTISSA_BITS);
    if (precision < 0 ? fraction != 0 : precision > 0)
        buf_byte(out, '.');
    for (int i = 0; precision < 0 ? fraction != 0 : i < precision; i++, fraction <<= 4)
        buf_byte(out, (uint8_t)digits[fraction >> 60]);
    buf_printf(out, "%c%c%02d", upper ? 'P' : 'p', exponent < 0 ? '-' : '+', exponent < 0 ? -exponent : exponent);
}

/* Without a sign; false where there is no such verb. */
static bool digits_of_float(const struct verb *f, double d, struct buf *out)
{
    char text[FLOAT_TEXT_MAX], conversion[] = "%.*e";
    int precision = f->precision > PRECISION_MAX ? PRECISION_MAX : f->precision, exponent;
    switch (f->rune) {
    case 'v':
    case 'g':
    case 'G':
        if (precision < 0) {
            number_print_float(d, 'g', out);
            if (f->rune == 'G' && out->len && memchr(out->p, 'e', out->len))
                *(char *)memchr(out->p, 'e', out->len) = 'E';
            return true;
        }
        break;
    case 'e':
    case 'E':
    case 'f':
    case 'F':
        break;
    case 'b': {
        uint64_t m = mantissa_of(d, &exponent);
        buf_printf(out, "%llup%+d", (unsigned long long)m, exponent);
        return true;
    }
    case 'x':
    case 'X':
        format_number_hexadecimal(d, precision, f->rune == 'X', out);
        return true;
    default:
        return false;
    }
    conversion[3] = f->rune == 'v' ? 'g' : (char)f->rune;
    snprintf(text, sizeof text, conversion, precision < 0 ? DEFAULT_PRECISION : precision, d);
    buf_puts(out, text);
    return true;
}

/* The flag #: always a point, and for %g as many digits as the precision says. */
static void format_number_sharpen(const struct verb *f, struct str plain, struct buf *out)
{
    const bool hex = f->rune == 'x' || f->rune == 'X';
    int digits = strchr("vgGx", (int)f->rune) ? (f->precision < 0 ? DEFAULT_PRECISION : f->precision) : 0;
    bool nonzero = false, point = false;
    size_t n = 0;
    for (; n < plain.n && !strchr(hex ? "pP" : "eE", plain.p[n]); n++) {
        point |= plain.p[n] == '.';
        nonzero |= plain.p[n] != '0' && plain.p[n] != '.';
        digits -= nonzero && plain.p[n] != '.';
    }
    buf_append(out, plain.p, n);
    if (!point) {
        digits -= n == 1 && plain.p[0] == '0';
        buf_byte(out, '.');
    }
    format_number_zeros(out, digits > 0 ? (size_t)digits : 0);
    buf_append(out, plain.p + n, plain.n - n);
}

bool format_float(const struct verb *f, double d, struct buf *out)
{
    cleanup_buf struct buf digits = BUF_INIT(FLOAT_TEXT_MAX * 2), whole = BUF_INIT(WIDTH_MAX + FLOAT_TEXT_MAX * 3);
    if (!digits_of_float(f, isfinite(d) ? fabs(d) : 0, &digits))
        return false;
    const char *sign = signbit(d) && !isnan(d) ? "-" : f->plus ? "+" : f->space ? " " : isinf(d) ? "+" : "";
    struct verb rest = *f;
    if (!isfinite(d)) {
        rest.zero = false;
        buf_printf(&whole, "%s%s", sign, isnan(d) ? "NaN" : "Inf");
        format_pad(&rest, buf_slice(&whole), out);
        return true;
    }
    if (rest.zero && !rest.minus) {
        buf_puts(out, sign);
        rest.width -= (int)strlen(sign);
    } else {
        buf_puts(&whole, sign);
    }
    if (f->sharp && f->rune != 'b')
        format_number_sharpen(f, buf_slice(&digits), &whole);
    else
        buf_str(&whole, buf_slice(&digits));
    format_pad(&rest, buf_slice(&whole), out);
    return true;
}
