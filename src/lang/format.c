#include "lang/format.h"

#include "base/cleanup.h"
#include "base/mem.h"
#include "lang/format_number.h"
#include "lang/format_verb.h"
#include "lang/quote.h"
#include "lang/unicode.h"
#include "lang/value_print.h"

enum { NUMBER_MAX = 1000000 /* Go's limit of widths and precisions, to which one more digit may come */ };

struct format {
    struct str s; /* what is left of the format */
    struct value *const *args;
    size_t n, next;
    bool reordered, bad_index;
    struct buf *out;
};

static void print_value(const struct verb *f, const struct value *v, bool inner, struct buf *out);

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
        print_value(&plain, v, false, out);
    }
    buf_byte(out, ')');
}

static void format_print_quoted(const struct verb *f, struct str s, struct buf *out)
{
    uint32_t rune;
    bool plain = f->sharp && str_is_utf8(s); /* as it is, between backquotes */
    for (size_t i = 0, n; plain && i < s.n; i += n) {
        n = utf8_decode((struct str){s.p + i, s.n - i}, &rune);
        plain = rune != '`' && rune != UNICODE_BOM && rune != 0x7f && (rune >= ' ' || rune == '\t');
    }
    if (plain) {
        buf_byte(out, '`');
        buf_str(out, s);
        buf_byte(out, '`');
    } else if (f->plus) {
        quote_print_ascii(s, out);
    } else {
        quote_print(s, out);
    }
}

static struct str format_truncated(const struct verb *f, struct str s)
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
    format_pad(f, buf_slice(&b), out);
}

static void print_string(const struct verb *f, struct str s, const struct value *v, struct buf *out)
{
    cleanup_buf struct buf quoted = BUF_INIT(out->max);
    switch (f->rune) {
    case 'v':
        if (f->source) {
            quote_print(format_truncated(f, s), &quoted);
            format_pad(f, buf_slice(&quoted), out);
            break;
        }
        __attribute__((fallthrough));
    case 's':
        format_pad(f, format_truncated(f, s), out);
        break;
    case 'q':
        format_print_quoted(f, format_truncated(f, s), &quoted);
        format_pad(f, buf_slice(&quoted), out);
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
    buf_puts(out, f->source ? "[]interface {}{" : "[");
    for (size_t i = 0; i < value_len(v); i++) {
        buf_puts(out, i == 0 ? "" : f->source ? ", " : " ");
        print_value(f, value_item(v, i), true, out);
    }
    buf_byte(out, f->source ? '}' : ']');
}

static int format_by_key(const void *a, const void *b)
{
    return str_cmp(*(const struct str *)a, *(const struct str *)b);
}

static void format_print_object(const struct verb *f, const struct value *v, struct buf *out)
{
    size_t n = value_len(v);
    cleanup_free struct str *keys = xcalloc(n + 1, sizeof *keys);
    for (size_t i = 0; i < n; i++)
        keys[i] = value_key(v, i, NULL);
    qsort(keys, n, sizeof *keys, format_by_key);
    buf_puts(out, f->source ? "map[string]interface {}{" : "map[");
    for (size_t i = 0; i < n; i++) {
        cleanup_value struct value *key = value_string(keys[i]);
        buf_puts(out, i == 0 ? "" : f->source ? ", " : " ");
        print_value(f, key, true, out);
        buf_byte(out, ':');
        print_value(f, value_member(v, keys[i]), true, out);
    }
    buf_byte(out, f->source ? '}' : ']');
}

static void print_other(const struct verb *f, const struct value *v, struct buf *out)
{
    if (f->rune != 'v' && f->rune != 's') {
        bad_verb(f, v, out);
        return;
    }
    cleanup_buf struct buf text = BUF_INIT(out->max);
    value_print(v, &text);
    format_pad(f, buf_slice(&text), out);
}

static void print_number(const struct verb *f, const struct value *v, struct buf *out)
{
    struct verb hex = *f;
    bool good;
    if (value_number_kind(v) == NUMBER_FLOAT) {
        good = format_float(f, value_as_float(v), out);
    } else {
        uint64_t u = value_as_uint(v);
        bool negative = value_number_kind(v) == NUMBER_INT && value_as_int(v) < 0;
        if (f->source && value_number_kind(v) == NUMBER_UINT) { /* Go shows unsigned numbers so */
            hex.rune = 'x';
            hex.sharp = true;
        }
        good = format_integer(&hex, negative ? -u : u, negative, out);
    }
    if (!good)
        bad_verb(f, v, out);
}

static void print_null(const struct verb *f, const struct value *v, bool inner, struct buf *out)
{
    if (inner)
        buf_puts(out, f->source ? "interface {}(nil)" : "<nil>");
    else if (f->rune == 'v')
        format_pad(f, STR("<nil>"), out);
    else
        bad_verb(f, v, out);
}

/* `inner`: within an array or object. */
static void print_value(const struct verb *f, const struct value *v, bool inner, struct buf *out)
{
    struct str s;
    if (!buf_ok(out))
        return;
    if (f->rune == 'T') {
        struct str type = str_of(go_type(v));
        format_pad(f, value_kind(v) == VALUE_NULL ? type : format_truncated(f, type), out);
        return;
    }
    if (f->rune == 'w') { /* Go wraps errors by it, and there are none here */
        bad_verb(f, v, out);
        return;
    }
    switch (value_kind(v)) {
    case VALUE_NULL:
        print_null(f, v, inner, out);
        break;
    case VALUE_NUMBER:
        print_number(f, v, out);
        break;
    case VALUE_STRING:
        print_string(f, value_as_str(v), v, out);
        break;
    case VALUE_BOOL:
        if (f->rune == 'v' || f->rune == 't')
            format_pad(f, str_of(value_as_bool(v) ? "true" : "false"), out);
        else
            bad_verb(f, v, out);
        break;
    case VALUE_ARRAY:
        print_array(f, v, out);
        break;
    case VALUE_OBJECT:
        format_print_object(f, v, out);
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
    print_value(&(struct verb){.rune = 'v', .width = -1, .precision = -1}, v, false, out);
}

static bool format_take(struct format *f, char c)
{
    if (!f->s.n || f->s.p[0] != c)
        return false;
    f->s.p++, f->s.n--;
    return true;
}

/* Digits; -1 where there are none. A number that grows too large takes the rest of the format with it, as in Go. */
static int take_number(struct format *f)
{
    int v = -1;
    for (; f->s.n && f->s.p[0] >= '0' && f->s.p[0] <= '9'; f->s.p++, f->s.n--) {
        if (v > NUMBER_MAX) {
            f->s.n = 0;
            return -1;
        }
        v = (v < 0 ? 0 : v * 10) + f->s.p[0] - '0';
    }
    return v;
}

/* "[3]" chooses the next argument. */
static bool take_index(struct format *f)
{
    if (!f->s.n || f->s.p[0] != '[')
        return false;
    f->reordered = true;
    const char *close = memchr(f->s.p, ']', f->s.n);
    f->s.p++, f->s.n--;
    if (!close) {
        f->bad_index = true;
        return false;
    }
    const struct str after = {close + 1, f->s.n - (size_t)(close + 1 - f->s.p)};
    int i = take_number(f);
    bool good = f->s.p == close && i >= 1 && (size_t)i <= f->n;
    f->s = after;
    if (good)
        f->next = (size_t)i - 1;
    else
        f->bad_index = true;
    return true;
}

/* A width or precision: digits, or `*` for the next argument. */
static int take_size(struct format *f, const char *bad, bool *negative)
{
    if (!format_take(f, '*'))
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

/* Width and precision. A number that follows an index is no width: "%[3]5d". */
static void take_sizes(struct format *f, struct verb *v)
{
    bool negative = false, indexed = take_index(f);
    bool star = f->s.n && f->s.p[0] == '*';
    v->width = take_size(f, "%!(BADWIDTH)", &negative);
    v->minus |= negative;
    f->bad_index |= indexed && !star && v->width >= 0;
    indexed &= !star;
    if (format_take(f, '.')) {
        f->bad_index |= indexed;
        negative = false;
        indexed = take_index(f);
        star = f->s.n && f->s.p[0] == '*';
        bool given = star || (f->s.n && f->s.p[0] >= '0' && f->s.p[0] <= '9');
        v->precision = given ? take_size(f, "%!(BADPREC)", &negative) : 0;
        if (negative) {
            buf_puts(f->out, "%!(BADPREC)");
            v->precision = -1;
        }
        indexed &= !star;
    }
    if (!indexed)
        (void)take_index(f);
}

/* After the '%'. */
static void print_verb(struct format *f)
{
    struct verb v = {.width = -1, .precision = -1};
    f->bad_index = false;
    take_flags(f, &v);
    take_sizes(f, &v);
    v.zero &= !v.minus;
    size_t n = utf8_decode(f->s, &v.rune);
    if (n == 0) {
        buf_puts(f->out, "%!(NOVERB)");
        return;
    }
    f->s.p += n, f->s.n -= n;
    if (v.rune == 'v' || v.rune == 'w') {
        v.source = v.sharp;
        v.sharp = v.plus = false;
    }
    if (v.rune == '%') {
        buf_byte(f->out, '%');
    } else if (f->bad_index || f->next >= f->n) {
        buf_puts(f->out, "%!");
        utf8_append(f->out, v.rune);
        buf_puts(f->out, f->bad_index ? "(BADINDEX)" : "(MISSING)");
    } else {
        print_value(&v, f->args[f->next++], false, f->out);
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
        if (format_take(&f, '%'))
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
