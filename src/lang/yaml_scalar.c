#include "lang/yaml_scalar.h"

#include <errno.h>
#include <math.h>

#include "base/base64.h"
#include "base/buf.h"
#include "base/cleanup.h"

enum { NUMBER_TEXT_MAX = 512, BINARY_MAX = 4 << 20, SHOWN_MAX = 64 };

/* --- words --- */

static struct value *yaml_scalar_word(struct str s)
{
    static const char *const nulls[] = {"", "~", "null", "Null", "NULL"};
    static const char *const bools[] = {"false", "False", "FALSE", "true", "True", "TRUE"};
    static const struct {
        const char *text;
        double value;
    } floats[] = {{".inf", INFINITY},   {".Inf", INFINITY},  {".INF", INFINITY},   {"+.inf", INFINITY},
                  {"+.Inf", INFINITY},  {"+.INF", INFINITY}, {"-.inf", -INFINITY}, {"-.Inf", -INFINITY},
                  {"-.INF", -INFINITY}, {".nan", NAN},       {".NaN", NAN},        {".NAN", NAN}};
    for (size_t i = 0; i < ARRAY_LEN(nulls); i++)
        if (str_is(s, nulls[i]))
            return value_null();
    for (size_t i = 0; i < ARRAY_LEN(bools); i++)
        if (str_is(s, bools[i]))
            return value_bool(i >= 3);
    for (size_t i = 0; i < ARRAY_LEN(floats); i++)
        if (str_is(s, floats[i].text))
            return value_float(floats[i].value);
    return NULL;
}

/* --- numbers --- */

static bool take_char(struct str *s, const char *set)
{
    if (!s->n || !s->p[0] || !strchr(set, s->p[0]))
        return false;
    s->p++, s->n--;
    return true;
}

static size_t take_digits(struct str *s)
{
    size_t n = 0;
    while (n < s->n && s->p[n] >= '0' && s->p[n] <= '9')
        n++;
    s->p += n, s->n -= n;
    return n;
}

static unsigned take_base(struct str *s)
{
    if (s->n < 2 || s->p[0] != '0')
        return 10;
    static const struct {
        char letter;
        unsigned base;
    } prefixes[] = {{'x', 16}, {'o', 8}, {'b', 2}};
    for (size_t i = 0; i < ARRAY_LEN(prefixes); i++)
        if ((s->p[1] | 0x20) == prefixes[i].letter) {
            s->p += 2, s->n -= 2;
            return prefixes[i].base;
        }
    return 8;
}

static struct value *yaml_scalar_integer(struct str s)
{
    bool sign = s.n && (s.p[0] == '+' || s.p[0] == '-'), negative = sign && s.p[0] == '-';
    if (sign)
        s.p++, s.n--;
    unsigned base = take_base(&s);
    uint64_t u = 0;
    for (size_t i = 0; i < s.n; i++) {
        char c = s.p[i], lower = (char)(c | 0x20);
        unsigned digit = c >= '0' && c <= '9'           ? (unsigned)(c - '0')
                         : lower >= 'a' && lower <= 'f' ? (unsigned)(lower - 'a') + 10
                                                        : base;
        if (digit >= base || __builtin_mul_overflow(u, base, &u) || __builtin_add_overflow(u, digit, &u))
            return NULL;
    }
    const uint64_t most = (uint64_t)INT64_MAX + negative;
    if (s.n == 0 || (sign && u > most))
        return NULL;
    return u <= most ? value_int((int64_t)(negative ? -u : u)) : value_uint(u);
}

static bool looks_like_float(struct str s)
{
    take_char(&s, "+-");
    size_t digits = take_digits(&s);
    if (take_char(&s, ".") && take_digits(&s) + digits == 0)
        return false;
    if (digits == 0 && !(s.p[-1] >= '0' && s.p[-1] <= '9'))
        return false;
    if (take_char(&s, "eE")) {
        take_char(&s, "+-");
        if (take_digits(&s) == 0)
            return false;
    }
    return s.n == 0;
}

static struct value *yaml_scalar_number(struct str s)
{
    cleanup_buf struct buf plain = BUF_INIT(NUMBER_TEXT_MAX);
    if (!s.n || !strchr("+-.0123456789", s.p[0]))
        return NULL;
    for (size_t i = 0; i < s.n; i++)
        if (s.p[i] != '_')
            buf_byte(&plain, (uint8_t)s.p[i]);
    if (!buf_ok(&plain))
        return NULL;
    struct value *v = yaml_scalar_integer(buf_slice(&plain));
    if (v || !looks_like_float(buf_slice(&plain)))
        return v;
    double d = strtod(buf_cstr(&plain), NULL);
    return isfinite(d) ? value_float(d) : NULL;
}

/* --- timestamps --- */

/* Between `least` and `most` digits. */
static bool take_field(struct str *s, size_t least, size_t most, int low, int high, int *ret)
{
    size_t n = 0;
    int v = 0;
    for (; n < most && n < s->n && s->p[n] >= '0' && s->p[n] <= '9'; n++)
        v = v * 10 + s->p[n] - '0';
    if (n < least || v < low || v > high)
        return false;
    s->p += n, s->n -= n;
    *ret = v;
    return true;
}

static int days_in(int year, int month)
{
    static const int days[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
    return days[month - 1] + (month == 2 && ((year % 4 == 0 && year % 100 != 0) || year % 400 == 0));
}

static bool take_date(struct str *s, struct buf *out)
{
    int year, month, day;
    if (!take_field(s, 4, 4, 0, 9999, &year) || !take_char(s, "-") || !take_field(s, 1, 2, 1, 12, &month) ||
        !take_char(s, "-") || !take_field(s, 1, 2, 1, days_in(year, month), &day))
        return false;
    buf_printf(out, "%04d-%02d-%02dT", year, month, day);
    return true;
}

static bool take_time(struct str *s, struct buf *out)
{
    int hour, minute, second;
    if (!take_field(s, 1, 2, 0, 23, &hour) || !take_char(s, ":") || !take_field(s, 1, 2, 0, 59, &minute) ||
        !take_char(s, ":") || !take_field(s, 1, 2, 0, 59, &second))
        return false;
    buf_printf(out, "%02d:%02d:%02d", hour, minute, second);
    if (!take_char(s, "."))
        return true;
    struct str fraction = {s->p, take_digits(s)};
    if (fraction.n == 0)
        return false;
    fraction.n = fraction.n > 9 ? 9 : fraction.n;
    while (fraction.n && fraction.p[fraction.n - 1] == '0')
        fraction.n--;
    if (fraction.n)
        buf_printf(out, ".%.*s", STR_ARG(fraction));
    return true;
}

static bool take_zone(struct str *s, struct buf *out)
{
    int hours, minutes;
    if (take_char(s, "Z")) {
        buf_byte(out, 'Z');
        return true;
    }
    char sign = s->n ? s->p[0] : '\0';
    if (!take_char(s, "+-") || !take_field(s, 2, 2, 0, 24, &hours) || !take_char(s, ":") ||
        !take_field(s, 2, 2, 0, 59, &minutes))
        return false;
    if (hours || minutes)
        buf_printf(out, "%c%02d:%02d", sign, hours, minutes);
    else
        buf_byte(out, 'Z');
    return true;
}

/* 2006-1-2, "2006-1-2 15:4:5.9" in UTC, or 2006-1-2T15:4:5.9 with a zone; as RFC 3339. */
static struct value *yaml_scalar_timestamp(struct str s)
{
    cleanup_buf struct buf out = BUF_INIT(NUMBER_TEXT_MAX);
    if (!take_date(&s, &out))
        return NULL;
    if (s.n == 0)
        buf_puts(&out, "00:00:00Z");
    else if (take_char(&s, " ") && take_time(&s, &out))
        buf_byte(&out, 'Z');
    else if (!(take_char(&s, "Tt") && take_time(&s, &out) && take_zone(&s, &out)))
        return NULL;
    return s.n == 0 ? value_string(buf_slice(&out)) : NULL;
}

/* --- tags --- */

enum meaning { MEANS_NULL, MEANS_BOOL, MEANS_INT, MEANS_FLOAT, MEANS_TIMESTAMP, MEANS_STRING };

static struct value *by_looks(struct str s, enum meaning *ret)
{
    struct value *v = yaml_scalar_word(s);
    *ret = MEANS_TIMESTAMP;
    if (!v && (v = yaml_scalar_timestamp(s)))
        return v;
    if (!v && !(v = yaml_scalar_number(s))) {
        *ret = MEANS_STRING;
        return value_string(s);
    }
    *ret = value_kind(v) == VALUE_NULL            ? MEANS_NULL
           : value_kind(v) == VALUE_BOOL          ? MEANS_BOOL
           : value_number_kind(v) == NUMBER_FLOAT ? MEANS_FLOAT
                                                  : MEANS_INT;
    return v;
}

static int yaml_scalar_binary(struct str text, struct value **ret, struct err *err)
{
    cleanup_buf struct buf out = BUF_INIT(BINARY_MAX);
    if (base64_decode(text, base64_standard, &out, NULL) < 0)
        return err_set(err, -EINVAL, "!!binary value contains invalid base64 data");
    *ret = value_string(buf_slice(&out));
    return 0;
}

int yaml_scalar(const char *tag, bool plain, struct str text, struct value **ret, struct err *err)
{
    static const char *const names[] = {
        [MEANS_NULL] = "null",   [MEANS_BOOL] = "bool",           [MEANS_INT] = "int",
        [MEANS_FLOAT] = "float", [MEANS_TIMESTAMP] = "timestamp", [MEANS_STRING] = "str"};
    static const struct str core = {"tag:yaml.org,2002:", 18};
    enum meaning wanted = MEANS_STRING, means;
    if (!tag || strcmp(tag, "!") == 0) {
        *ret = plain ? by_looks(text, &means) : value_string(text);
        return 0;
    }
    const char *name = str_has_prefix(str_of(tag), core) ? tag + core.n : "";
    if (strcmp(name, "binary") == 0)
        return yaml_scalar_binary(text, ret, err);
    for (size_t i = 0; i < ARRAY_LEN(names); i++)
        if (strcmp(name, names[i]) == 0)
            wanted = (enum meaning)i;
    if (wanted == MEANS_STRING) {
        *ret = value_string(text);
        return 0;
    }
    cleanup_value struct value *v = by_looks(text, &means);
    if (wanted == MEANS_FLOAT && means == MEANS_INT) {
        *ret = value_float(value_as_float(v));
        return 0;
    }
    if (means != wanted)
        return err_set(err, -EINVAL, "cannot decode !!%s `%.*s` as a !!%s", names[means],
                       (int)(text.n < SHOWN_MAX ? text.n : SHOWN_MAX), text.n ? text.p : "", names[wanted]);
    *ret = TAKE_PTR(v);
    return 0;
}
