#include "pyroscope/time_text.h"

#include <time.h>

#include "base/cleanup.h"
#include "base/clock.h"

enum { DATE_DIGITS = 8, MS_DIGITS = 13, US_DIGITS = 16, NS_DIGITS = 19, SECONDS_DAY = 86400 };
#define TIME_TEXT_MAX INT64_C(4000000000000000000) /* 2096: what is computed with it stays a number */

/* now-90m. */
static bool time_text_relative(struct str text, int64_t now_ns, int64_t *ret)
{
    static const struct {
        const char *name;
        int64_t seconds;
    } units[] = {{"s", 1},
                 {"m", 60},
                 {"min", 60},
                 {"h", 3600},
                 {"d", SECONDS_DAY},
                 {"w", 7 * SECONDS_DAY},
                 {"M", 30 * SECONDS_DAY},
                 {"mon", 30 * SECONDS_DAY},
                 {"y", 365 * SECONDS_DAY}};
    int64_t n;
    size_t digits = 1;
    while (digits < text.n && text.p[digits] >= '0' && text.p[digits] <= '9')
        digits++;
    if (!str_to_i64((struct str){text.p + 1, digits - 1}, &n))
        return false;
    const struct str unit = {text.p + digits, text.n - digits};
    for (size_t i = 0; i < ARRAY_LEN(units); i++) {
        int64_t ns;
        if (!str_is(unit, units[i].name) || __builtin_mul_overflow(n, units[i].seconds * NS_PER_SEC, &ns))
            continue;
        return !__builtin_add_overflow(now_ns, text.p[0] == '-' ? -ns : ns, ret);
    }
    return false;
}

/* Eight digits that are a day. */
static bool time_text_date(int64_t v, int64_t *ret)
{
    struct tm day = {.tm_year = (int)(v / 10000) - 1900, .tm_mon = (int)(v / 100 % 100) - 1, .tm_mday = (int)(v % 100)};
    if (day.tm_year < 70 || day.tm_year > 195 || day.tm_mon < 0 || day.tm_mon > 11 || day.tm_mday < 1 ||
        day.tm_mday > 31)
        return false;
    *ret = (int64_t)timegm(&day) * NS_PER_SEC;
    return true;
}

static int64_t time_text_scaled(int64_t v, size_t digits)
{
    const int64_t unit = digits == NS_DIGITS   ? 1
                         : digits == US_DIGITS ? NS_PER_US
                         : digits == MS_DIGITS ? NS_PER_MS
                                               : NS_PER_SEC;
    int64_t ns;
    return __builtin_mul_overflow(v, unit, &ns) ? TIME_TEXT_MAX : ns;
}

int64_t time_text_parse(struct str text, int64_t now_ns)
{
    int64_t v, ns = now_ns;
    if (str_to_i64(text, &v) && v >= 0) {
        if (text.n != DATE_DIGITS || !time_text_date(v, &ns))
            ns = time_text_scaled(v, text.n);
    } else if (str_has_prefix(text, STR("now")) && text.n > 4 && (text.p[3] == '-' || text.p[3] == '+')) {
        if (!time_text_relative((struct str){text.p + 3, text.n - 3}, now_ns, &ns))
            ns = now_ns;
    }
    return ns < 0 ? 0 : ns > TIME_TEXT_MAX ? TIME_TEXT_MAX : ns;
}
