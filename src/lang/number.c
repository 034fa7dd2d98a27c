#include "lang/number.h"

#include <math.h>

enum { DOUBLE_DIGITS = 17, DOUBLE_TEXT_MAX = 64, EXPONENT_FROM = 6 /* Go's %v */ };

/* An unsigned integer in a base; false on other characters and on overflow. */
static bool parse_unsigned(struct str s, unsigned base, uint64_t *ret)
{
    uint64_t v = 0;
    for (size_t i = 0; i < s.n; i++) {
        unsigned digit = (unsigned char)s.p[i] - '0';
        if (digit >= base || __builtin_mul_overflow(v, base, &v) || __builtin_add_overflow(v, digit, &v))
            return false;
    }
    *ret = v;
    return s.n > 0;
}

static bool parse_float(struct str s, double *ret)
{
    char *text = str_dup(s), *end;
    /* Only what Go would take: strtod also reads hexadecimal, "inf" and blanks. */
    bool plain = s.n > 0 && strspn(text, "+-.0123456789eE") == s.n;
    *ret = strtod(text, &end);
    bool good = plain && *end == '\0' && isfinite(*ret);
    free(text);
    return good;
}

static struct value *value_of_unsigned(uint64_t u)
{
    return u <= INT64_MAX ? value_int((int64_t)u) : value_uint(u);
}

struct value *number_literal(struct str s)
{
    uint64_t u;
    bool octal = s.n > 1 && s.p[0] == '0';
    if (parse_unsigned(s, octal ? 8 : 10, &u))
        return value_of_unsigned(u);
    double d = 0;
    if (!parse_float(s, &d))
        d = HUGE_VAL; /* the lexer lets only digits through: too large for a double */
    return value_float(d);
}

bool number_from_text(struct str s, struct value **ret)
{
    uint64_t u;
    double d;
    int64_t i;
    if (s.n && s.p[0] == '-') {
        if (!str_to_i64(s, &i))
            return false;
        *ret = value_int(i);
        return true;
    }
    if (s.n && (memchr(s.p, '.', s.n) || memchr(s.p, 'e', s.n) || memchr(s.p, 'E', s.n))) {
        if (!parse_float(s, &d))
            return false;
        *ret = value_float(d);
        return true;
    }
    if (!parse_unsigned(s, 10, &u))
        return false;
    *ret = value_of_unsigned(u);
    return true;
}

/* The fewest digits that read back as d, which is finite and not negative: "d.ddde±xx". Returns the decimal
 * exponent. */
static int shortest_digits(double d, char digits[DOUBLE_DIGITS + 1])
{
    char text[DOUBLE_TEXT_MAX];
    for (int n = 1; n <= DOUBLE_DIGITS; n++) {
        snprintf(text, sizeof text, "%.*e", n - 1, d);
        if (strtod(text, NULL) == d)
            break;
    }
    size_t n = 0;
    const char *p = text;
    for (; *p && *p != 'e'; p++)
        if (*p != '.')
            digits[n++] = *p;
    digits[n] = '\0';
    return (int)strtol(p + 1, NULL, 10);
}

static void fill_zeros(struct buf *out, int n)
{
    for (; n > 0; n--)
        buf_byte(out, '0');
}

void number_print_float(double d, char style, struct buf *out)
{
    if (!isfinite(d)) {
        buf_puts(out, isnan(d) ? "NaN" : d > 0 ? "+Inf" : "-Inf");
        return;
    }
    char digits[DOUBLE_DIGITS + 1];
    if (signbit(d))
        buf_byte(out, '-');
    int exponent = shortest_digits(fabs(d), digits), n = (int)strlen(digits);
    if (style == 'g' && (exponent < -4 || exponent >= EXPONENT_FROM)) {
        buf_byte(out, (uint8_t)digits[0]);
        if (n > 1)
            buf_printf(out, ".%s", digits + 1);
        buf_printf(out, "e%+03d", exponent);
        return;
    }
    if (exponent < 0) {
        buf_puts(out, "0.");
        fill_zeros(out, -exponent - 1);
        buf_puts(out, digits);
        return;
    }
    int whole = exponent + 1;
    buf_append(out, digits, (size_t)(n < whole ? n : whole));
    fill_zeros(out, whole - n);
    if (n > whole)
        buf_printf(out, ".%s", digits + whole);
}

void number_print(const struct value *v, struct buf *out)
{
    switch (value_number_kind(v)) {
    case NUMBER_INT:
        buf_printf(out, "%lld", (long long)value_as_int(v));
        break;
    case NUMBER_UINT:
        buf_printf(out, "%llu", (unsigned long long)value_as_uint(v));
        break;
    case NUMBER_FLOAT:
        number_print_float(value_as_float(v), 'f', out);
        break;
    }
}
