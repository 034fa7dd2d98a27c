#include "lang/format.h"

#include <math.h>

#include "base/cleanup.h"
#include "base/mem.h"
#include "lang/number.h"
#include "lang/quote.h"
#include "lang/unicode.h"

enum {
    NUMBER_MAX = 1000000, /* Go's limit of widths and precisions */
    DEFAULT_PRECISION = 6,
    FLOAT_TEXT_MAX = 2048,
    INTEGER_TEXT_MAX = 80,
    PRECISION_MAX = 1500, /* of floats: no double has more decimals than fit FLOAT_TEXT_MAX */
};

struct verb {
    uint32_t rune;
    bool plus, minus, sharp, space, zero;
    bool source;          /* %#v: as Go source */
    int width, precision; /* -1: not given */
};

struct format {
    struct str s; /* what is left of the format */
    struct value *const *args;
    size_t n, next;
    bool reordered, bad_index;
    struct buf *out;
};

static void print_value(const struct verb *f, const struct value *v, struct buf *out);

static size_t count_runes(struct str s)
{
    size_t n = 0;
    uint32_t rune;
    for (size_t i = 0; i < s.n; n++)
        i += utf8_decode((struct str){s.p + i, s.n - i}, &rune);
    return n;
}

static void repeat(struct buf *out, char c, size_t n)
{
    while (n-- && buf_ok(out))
        buf_byte(out, (uint8_t)c);
}

static void pad(const struct verb *f, struct str s, struct buf *out)
{
    size_t runes = count_runes(s), gap = f->width > 0 && (size_t)f->width > runes ? (size_t)f->width - runes : 0;
    if (!f->minus)
        repeat(out, f->zero ? '0' : ' ', gap);
    buf_str(out, s);
    if (f->minus)
        repeat(out, ' ', gap);
}

/* As Go names the types that values have when they are passed as `any`. */
static const char *go_type(const struct value *v)
{
    static const char *const numbers[] = {[NUMBER_INT] = "int", [NUMBER_UINT] = "uint64", [NUMBER_FLOAT] = "float64"};
    switch (value_kind(v)) {
    case VALUE_NUMBER:
        return numbers[value_number_kind(v)];
    case VALUE_STRING:
        return "string";
    case VALUE_BOOL:
        return "bool";
    case VALUE_ARRAY:
        return "[]interface {}";
    case VALUE_OBJECT:
        return "map[string]interface {}";
    case VALUE_CAPSULE:
        return value_secrecy(v) == VALUE_OPTIONAL_OPEN ? "string" : value_capsule_type(v)->name;
    case VALUE_FUNCTION:
        return "func";
    default:
        return "<nil>";
    }
}

static void bad_verb(const struct verb *f, const struct value *v, struct buf *out)
{
    buf_puts(out, "%!");
    utf8_append(out, f->rune);
    buf_byte(out, '(');
    buf_puts(out, go_type(v));
    if (value_kind(v) != VALUE_NULL) {
        struct verb plain = *f; /* width and flags still count */
        plain.rune = 'v';
        buf_byte(out, '=');
        print_value(&plain, v, out);
    }
    buf_byte(out, ')');
}

static size_t digits_of(uint64_t u, unsigned base, bool upper, char text[INTEGER_TEXT_MAX])
{
    size_t n = INTEGER_TEXT_MAX;
    do {
        text[--n] = (upper ? "0123456789ABCDEF" : "0123456789abcdef")[u % base];
        u /= base;
    } while (u);
    return n;
}

static void print_integer(const struct verb *f, uint64_t u, bool negative, unsigned base, const char *prefix,
                          struct buf *out)
{
    char text[INTEGER_TEXT_MAX];
    size_t first = digits_of(negative ? -u : u, base, f->rune == 'X', text), n = INTEGER_TEXT_MAX - first;
    const char *sign = negative ? "-" : f->plus ? "+" : f->space ? " " : "";
    size_t least = f->precision > 0 ? (size_t)f->precision : 0;
    if (f->precision < 0 && f->zero && f->width > 0)
        least = (size_t)f->width - (strlen(sign) < (size_t)f->width ? strlen(sign) : 0);
    cleanup_buf struct buf b = BUF_INIT(NUMBER_MAX + INTEGER_TEXT_MAX);
    if (f->precision != 0 || u != 0) {
        buf_puts(&b, sign);
        buf_puts(&b, prefix);
        repeat(&b, '0', least > n ? least - n : 0);
        buf_append(&b, text + first, n);
    }
    struct verb blanks = *f;
    blanks.zero = false;
    pad(&blanks, buf_slice(&b), out);
}

static void quote_rune(uint32_t rune, struct buf *out)
{
    cleanup_buf struct buf text = BUF_INIT(INTEGER_TEXT_MAX), quoted = BUF_INIT(INTEGER_TEXT_MAX);
    utf8_append(&text, rune);
    quote_print(buf_slice(&text), &quoted);
    buf_byte(out, '\'');
    if (rune == '\'' || rune == '"')
        buf_puts(out, rune == '"' ? "\"" : "\\'");
    else
        buf_append(out, quoted.p + 1, quoted.len - 2);
    buf_byte(out, '\'');
}

static void print_rune(const struct verb *f, uint64_t u, struct buf *out)
{
    uint32_t rune = u > UNICODE_MAX ? UNICODE_BAD : (uint32_t)u;
    cleanup_buf struct buf b = BUF_INIT(INTEGER_TEXT_MAX);
    struct verb padding = *f;
    if (f->rune == 'U') {
        int digits = f->precision > 4 ? f->precision < 20 ? f->precision : 20 : 4;
        buf_printf(&b, "U+%0*llX", digits, (unsigned long long)u);
        padding.zero = false;
    } else if (f->rune == 'q') {
        quote_rune(rune, &b);
    } else {
        utf8_append(&b, rune);
    }
    pad(&padding, buf_slice(&b), out);
}

static void print_int(const struct verb *f, const struct value *v, struct buf *out)
{
    uint64_t u = value_as_uint(v);
    bool negative = value_number_kind(v) == NUMBER_INT && value_as_int(v) < 0;
    switch (f->rune) {
    case 'v':
    case 'd':
        print_integer(f, u, negative, 10, "", out);
        break;
    case 'b':
        print_integer(f, u, negative, 2, f->sharp ? "0b" : "", out);
        break;
    case 'o':
        print_integer(f, u, negative, 8, f->sharp ? "0" : "", out);
        break;
    case 'O':
        print_integer(f, u, negative, 8, "0o", out);
        break;
    case 'x':
        print_integer(f, u, negative, 16, f->sharp ? "0x" : "", out);
        break;
    case 'X':
        print_integer(f, u, negative, 16, f->sharp ? "0X" : "", out);
        break;
    case 'c':
    case 'q':
    case 'U':
        print_rune(f, u, out);
        break;
    default:
        bad_verb(f, v, out);
        break;
    }
}

static void print_float(const struct verb *f, const struct value *v, struct buf *out)
{
    double d = value_as_float(v), size = fabs(d);
    char text[FLOAT_TEXT_MAX], conversion[] = "%.*e";
    int precision = f->precision > PRECISION_MAX ? PRECISION_MAX : f->precision;
    cleanup_buf struct buf b = BUF_INIT(FLOAT_TEXT_MAX * 2);
    switch (f->rune) {
    case 'v':
    case 'g':
    case 'G':
        if (f->precision < 0) {
            number_print_float(size, 'g', &b);
            if (f->rune == 'G' && b.len && memchr(b.p, 'e', b.len))
                *(char *)memchr(b.p, 'e', b.len) = 'E';
            break;
        }
        __attribute__((fallthrough));
    case 'e':
    case 'E':
    case 'f':
    case 'F':
        conversion[3] = f->rune == 'v' ? 'g' : (char)f->rune;
        snprintf(text, sizeof text, conversion, precision < 0 ? DEFAULT_PRECISION : precision, size);
        buf_puts(&b, isinf(d) ? "Inf" : isnan(d) ? "NaN" : text);
        break;
    default:
        bad_verb(f, v, out);
        return;
    }
    const char *sign = signbit(d) && !isnan(d) ? "-" : f->plus || isinf(d) ? "+" : f->space ? " " : "";
    struct str digits = buf_slice(&b);
    if (digits.n && digits.p[0] == '+')
        digits.p++, digits.n--;
    struct verb rest = *f;
    rest.zero &= isfinite(d);
    if (rest.zero && !rest.minus) {
        buf_puts(out, sign);
        rest.width -= (int)strlen(sign);
        pad(&rest, digits, out);
        return;
    }
    cleanup_buf struct buf whole = BUF_INIT(FLOAT_TEXT_MAX * 2);
    buf_puts(&whole, sign);
    buf_str(&whole, digits);
    pad(&rest, buf_slice(&whole), out);
}

static struct str truncated(const struct verb *f, struct str s)
{
    uint32_t rune;
    size_t n = 0;
    for (int i = 0; n < s.n && (f->precision < 0 || i < f->precision); i++)
        n += utf8_decode((struct str){s.p + n, s.n - n}, &rune);
    return (struct str){s.p, n};
}

static void print_hex(const struct verb *f, struct str s, struct buf *out)
{
    cleanup_buf struct buf b = BUF_INIT(out->max);
    size_t n = f->precision >= 0 && (size_t)f->precision < s.n ? (size_t)f->precision : s.n;
    const char *prefix = f->sharp ? (f->rune == 'X' ? "0X" : "0x") : "";
    for (size_t i = 0; i < n; i++) {
        buf_puts(&b, i && f->space ? " " : "");
        buf_puts(&b, i == 0 || f->space ? prefix : "");
        buf_printf(&b, f->rune == 'X' ? "%02X" : "%02x", (unsigned char)s.p[i]);
    }
    pad(f, buf_slice(&b), out);
}

static void print_string(const struct verb *f, struct str s, const struct value *v, struct buf *out)
{
    cleanup_buf struct buf quoted = BUF_INIT(out->max);
    switch (f->rune) {
    case 'v':
        if (f->source) {
            quote_print(s, &quoted);
            pad(f, buf_slice(&quoted), out);
            break;
        }
        __attribute__((fallthrough));
    case 's':
        pad(f, truncated(f, s), out);
        break;
    case 'q':
        quote_print(truncated(f, s), &quoted);
        pad(f, buf_slice(&quoted), out);
        break;
    case 'x':
    case 'X':
        print_hex(f, s, out);
        break;
    default:
        bad_verb(f, v, out);
        break;
    }
}

static void print_array(const struct verb *f, const struct value *v, struct buf *out)
{
    buf_byte(out, '[');
    for (size_t i = 0; i < value_len(v); i++) {
        buf_puts(out, i ? " " : "");
        print_value(f, value_item(v, i), out);
    }
    buf_byte(out, ']');
}

static int by_key(const void *a, const void *b)
{
    return str_cmp(*(const struct str *)a, *(const struct str *)b);
}

static void print_object(const struct verb *f, const struct value *v, struct buf *out)
{
    size_t n = value_len(v);
    cleanup_free struct str *keys = xcalloc(n + 1, sizeof *keys);
    for (size_t i = 0; i < n; i++)
        keys[i] = value_key(v, i, NULL);
    qsort(keys, n, sizeof *keys, by_key);
    buf_puts(out, "map[");
    for (size_t i = 0; i < n; i++) {
        cleanup_value struct value *key = value_string(keys[i]);
        buf_puts(out, i ? " " : "");
        print_value(f, key, out);
        buf_byte(out, ':');
        print_value(f, value_member(v, keys[i]), out);
    }
    buf_byte(out, ']');
}

static void print_other(const struct verb *f, const struct value *v, struct buf *out)
{
    if (f->rune != 'v' && f->rune != 's') {
        bad_verb(f, v, out);
        return;
    }
    cleanup_buf struct buf text = BUF_INIT(out->max);
    value_print(v, &text);
    pad(f, buf_slice(&text), out);
}

static void print_value(const struct verb *f, const struct value *v, struct buf *out)
{
    struct str s;
    if (!buf_ok(out))
        return;
    if (f->rune == 'T') {
        struct str type = str_of(go_type(v));
        pad(f, value_kind(v) == VALUE_NULL ? type : truncated(f, type), out);
        return;
    }
    switch (value_kind(v)) {
    case VALUE_NULL:
        if (f->rune == 'v')
            pad(f, STR("<nil>"), out);
        else
            bad_verb(f, v, out);
        break;
    case VALUE_NUMBER:
        if (value_number_kind(v) == NUMBER_FLOAT)
            print_float(f, v, out);
        else
            print_int(f, v, out);
        break;
    case VALUE_STRING:
        print_string(f, value_as_str(v), v, out);
        break;
    case VALUE_BOOL:
        if (f->rune == 'v' || f->rune == 't')
            pad(f, str_of(value_as_bool(v) ? "true" : "false"), out);
        else
            bad_verb(f, v, out);
        break;
    case VALUE_ARRAY:
        print_array(f, v, out);
        break;
    case VALUE_OBJECT:
        print_object(f, v, out);
        break;
    default:
        if (value_secrecy(v) == VALUE_OPTIONAL_OPEN && value_secret_text(v, &s))
            print_string(f, s, v, out);
        else
            print_other(f, v, out);
        break;
    }
}

void format_go_value(const struct value *v, struct buf *out)
{
    print_value(&(struct verb){.rune = 'v', .width = -1, .precision = -1}, v, out);
}

static bool take(struct format *f, char c)
{
    if (!f->s.n || f->s.p[0] != c)
        return false;
    f->s.p++, f->s.n--;
    return true;
}

/* Digits; -1 where there are none or the number is too large. */
static int take_number(struct format *f)
{
    int v = -1;
    for (; f->s.n && f->s.p[0] >= '0' && f->s.p[0] <= '9'; f->s.p++, f->s.n--)
        if (v <= NUMBER_MAX)
            v = (v < 0 ? 0 : v * 10) + f->s.p[0] - '0';
    return v > NUMBER_MAX ? -1 : v;
}

/* "[3]" chooses the next argument. */
static void take_index(struct format *f)
{
    if (!f->s.n || f->s.p[0] != '[')
        return;
    f->reordered = true;
    const char *close = memchr(f->s.p, ']', f->s.n);
    if (!close) {
        f->bad_index = true;
        f->s.p++, f->s.n--;
        return;
    }
    f->s.p++, f->s.n--;
    int i = take_number(f);
    bool good = f->s.p == close && i >= 1 && (size_t)i <= f->n;
    f->s.n -= (size_t)(close + 1 - f->s.p);
    f->s.p = close + 1;
    if (good)
        f->next = (size_t)i - 1;
    else
        f->bad_index = true;
}

/* A width or precision: digits, or `*` for the next argument. */
static int take_size(struct format *f, const char *bad, bool *negative)
{
    if (!take(f, '*'))
        return take_number(f);
    const struct value *v = f->next < f->n ? f->args[f->next++] : NULL;
    bool number = v && value_kind(v) == VALUE_NUMBER && value_number_kind(v) == NUMBER_INT;
    int64_t i = number ? value_as_int(v) : INT64_MAX;
    if (i > NUMBER_MAX || i < -NUMBER_MAX) {
        buf_puts(f->out, bad);
        return -1;
    }
    *negative = i < 0;
    return (int)(i < 0 ? -i : i);
}

static void take_flags(struct format *f, struct verb *v)
{
    for (;; f->s.p++, f->s.n--) {
        switch (f->s.n ? f->s.p[0] : '\0') {
        case '#':
            v->sharp = true;
            break;
        case '0':
            v->zero = true;
            break;
        case '+':
            v->plus = true;
            break;
        case '-':
            v->minus = true;
            break;
        case ' ':
            v->space = true;
            break;
        default:
            return;
        }
    }
}

/* After the '%'. */
static void print_verb(struct format *f)
{
    struct verb v = {.width = -1, .precision = -1};
    bool negative = false;
    f->bad_index = false;
    take_flags(f, &v);
    take_index(f);
    v.width = take_size(f, "%!(BADWIDTH)", &negative);
    v.minus |= negative;
    if (take(f, '.')) {
        negative = false;
        take_index(f);
        bool given = f->s.n && (f->s.p[0] == '*' || (f->s.p[0] >= '0' && f->s.p[0] <= '9'));
        v.precision = given ? take_size(f, "%!(BADPREC)", &negative) : 0;
        if (negative)
            v.precision = -1;
    }
    take_index(f);
    v.zero &= !v.minus;
    size_t n = utf8_decode(f->s, &v.rune);
    if (n == 0) {
        buf_puts(f->out, "%!(NOVERB)");
        return;
    }
    f->s.p += n, f->s.n -= n;
    v.source = v.sharp && v.rune == 'v';
    v.plus &= v.rune != 'v';
    if (v.rune == '%') {
        buf_byte(f->out, '%');
    } else if (f->bad_index || f->next >= f->n) {
        buf_puts(f->out, "%!");
        utf8_append(f->out, v.rune);
        buf_puts(f->out, f->bad_index ? "(BADINDEX)" : "(MISSING)");
    } else {
        print_value(&v, f->args[f->next++], f->out);
    }
}

void format_go(struct str format, struct value *const *args, size_t n, struct buf *out)
{
    struct format f = {.s = format, .args = args, .n = n, .out = out};
    while (f.s.n && buf_ok(out)) {
        const char *percent = memchr(f.s.p, '%', f.s.n);
        size_t plain = percent ? (size_t)(percent - f.s.p) : f.s.n;
        buf_append(out, f.s.p, plain);
        f.s.p += plain, f.s.n -= plain;
        if (take(&f, '%'))
            print_verb(&f);
    }
    if (f.reordered || f.next >= n)
        return;
    buf_puts(out, "%!(EXTRA ");
    for (size_t i = f.next; i < n; i++) {
        buf_puts(out, i > f.next ? ", " : "");
        buf_puts(out, go_type(args[i]));
        if (value_kind(args[i]) != VALUE_NULL) {
            buf_byte(out, '=');
            format_go_value(args[i], out);
        }
    }
    buf_byte(out, ')');
}
