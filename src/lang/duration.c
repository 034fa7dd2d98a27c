#include "lang/duration.h"

#include <errno.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "lang/quote.h"

enum { QUOTED_MAX = 200 };

static const struct {
    const char *name;
    int64_t ns;
} units[] = {
    {"ns", 1},
    {"us", NS_PER_US},
    {"\xc2\xb5s", NS_PER_US}, /* U+00B5 micro sign */
    {"\xce\xbcs", NS_PER_US}, /* U+03BC Greek mu */
    {"ms", NS_PER_MS},
    {"s", NS_PER_SEC},
    {"m", 60 * NS_PER_SEC},
    {"h", 3600 * NS_PER_SEC},
};

static int duration_refuse(struct err *err, const char *what, struct str detail, struct str whole)
{
    cleanup_buf struct buf quoted = BUF_INIT(QUOTED_MAX);
    if (detail.p) {
        buf_byte(&quoted, ' ');
        quote_print(detail, &quoted);
        buf_puts(&quoted, " in duration ");
    } else {
        buf_byte(&quoted, ' ');
    }
    quote_print(whole, &quoted);
    return err_set(err, -EINVAL, "time: %s%s", what, buf_cstr(&quoted));
}

static size_t duration_span(struct str s, bool digits)
{
    size_t n = 0;
    while (n < s.n && (s.p[n] >= '0' && s.p[n] <= '9' ? digits : !digits && s.p[n] != '.'))
        n++;
    return n;
}

static struct str duration_behind(struct str s, size_t n)
{
    return (struct str){s.p + n, s.n - n};
}

static bool unit_of(struct str name, int64_t *ret)
{
    for (size_t i = 0; i < ARRAY_LEN(units); i++)
        if (str_is(name, units[i].name)) {
            *ret = units[i].ns;
            return true;
        }
    return false;
}

/* "<digits>[.<digits>]<unit>" in nanoseconds; false when it does not fit. */
static bool duration_scale(struct str whole, struct str fraction, int64_t unit, uint64_t *ret)
{
    uint64_t v = 0;
    for (size_t i = 0; i < whole.n; i++)
        if (__builtin_mul_overflow(v, 10, &v) || __builtin_add_overflow(v, (uint64_t)(whole.p[i] - '0'), &v))
            return false;
    if (__builtin_mul_overflow(v, (uint64_t)unit, &v))
        return false;
    /* As Go computes it, so that both agree to the nanosecond: digits beyond 63 bits do not count. */
    uint64_t digits = 0, more;
    double power = 1;
    for (size_t i = 0; i < fraction.n; i++, digits = more, power *= 10) {
        more = digits * 10 + (uint64_t)(fraction.p[i] - '0');
        if (digits > INT64_MAX / 10 || more > INT64_MAX)
            break;
    }
    return !__builtin_add_overflow(v, (uint64_t)((double)digits * ((double)unit / power)), ret);
}

int duration_parse(struct str s, int64_t *ret, struct err *err)
{
    const struct str none = {NULL, 0}, all = s;
    bool negative = s.n && s.p[0] == '-';
    if (s.n && (s.p[0] == '-' || s.p[0] == '+'))
        s = duration_behind(s, 1);
    if (str_is(s, "0")) {
        *ret = 0;
        return 0;
    }
    if (s.n == 0)
        return duration_refuse(err, "invalid duration", none, all);
    uint64_t total = 0, part;
    while (s.n) {
        struct str whole = {s.p, duration_span(s, true)}, fraction = {s.p, 0};
        s = duration_behind(s, whole.n);
        if (s.n && s.p[0] == '.') {
            s = duration_behind(s, 1);
            fraction = (struct str){s.p, duration_span(s, true)};
            s = duration_behind(s, fraction.n);
        }
        if (whole.n == 0 && fraction.n == 0)
            return duration_refuse(err, "invalid duration", none, all);
        struct str name = {s.p, duration_span(s, false)};
        int64_t unit;
        if (name.n == 0)
            return duration_refuse(err, "missing unit in duration", none, all);
        if (!unit_of(name, &unit))
            return duration_refuse(err, "unknown unit", name, all);
        s = duration_behind(s, name.n);
        if (!duration_scale(whole, fraction, unit, &part) || __builtin_add_overflow(total, part, &total) ||
            total > (uint64_t)INT64_MAX + negative)
            return duration_refuse(err, "invalid duration", none, all);
    }
    *ret = negative ? (int64_t)-total : (int64_t)total;
    return 0;
}

/* v / unit with as many decimals as it takes. */
static void print_decimal(uint64_t v, uint64_t unit, struct buf *out)
{
    buf_printf(out, "%llu", (unsigned long long)(v / unit));
    v %= unit;
    if (v)
        buf_byte(out, '.');
    for (uint64_t digit = unit / 10; v; v %= digit, digit /= 10)
        buf_byte(out, (uint8_t)('0' + v / digit));
}

void duration_print(int64_t ns, struct buf *out)
{
    uint64_t v = ns < 0 ? -(uint64_t)ns : (uint64_t)ns;
    if (v == 0) {
        buf_puts(out, "0s");
        return;
    }
    if (ns < 0)
        buf_byte(out, '-');
    if (v < (uint64_t)NS_PER_SEC) {
        bool nanos = v < (uint64_t)NS_PER_US, micros = v < (uint64_t)NS_PER_MS;
        print_decimal(v, nanos ? 1 : micros ? (uint64_t)NS_PER_US : (uint64_t)NS_PER_MS, out);
        buf_puts(out, nanos ? "ns" : micros ? "\xc2\xb5s" : "ms");
        return;
    }
    const uint64_t minute = 60 * (uint64_t)NS_PER_SEC, hour = 60 * minute;
    if (v >= hour)
        buf_printf(out, "%lluh", (unsigned long long)(v / hour));
    if (v >= minute)
        buf_printf(out, "%llum", (unsigned long long)(v % hour / minute));
    print_decimal(v % minute, (uint64_t)NS_PER_SEC, out);
    buf_byte(out, 's');
}
