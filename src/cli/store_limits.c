#include "cli/store_limits.h"

#include <errno.h>
#include <string.h>

#include "base/byte_size.h"
#include "base/clock.h"
#include "base/str.h"
#include "lang/duration.h"

enum { MINUTE_S = 60, DAY_S = 86400, WEEK_S = 7 * DAY_S, DIGITS_MAX = 6 };
static const int64_t size_least = 1 << 20;

/* A leading "NUNIT", in seconds; 0 when there is none. */
static int64_t store_keep_take(const char **text, char unit, int64_t seconds)
{
    const size_t digits = strspn(*text, "0123456789");
    int64_t n;
    if (digits == 0 || digits > DIGITS_MAX || (*text)[digits] != unit || !str_to_i64((struct str){*text, digits}, &n))
        return 0;
    *text += digits + 1;
    return n * seconds;
}

int store_keep_parse(const char *text, int64_t *ret, struct err *err)
{
    const char *rest = text;
    int64_t seconds = store_keep_take(&rest, 'w', WEEK_S);
    seconds += store_keep_take(&rest, 'd', DAY_S);
    int64_t ns = 0;
    struct err why;
    int code = *rest || rest == text ? duration_parse(str_of(rest), &ns, &why) : 0;
    if (code < 0 || ns < 0)
        return err_set(err, -EINVAL, "--store.keep=%s is no duration, such as 7d, 36h or 1d12h", text);
    if (__builtin_add_overflow(seconds, ns / NS_PER_SEC, &seconds) || seconds < MINUTE_S)
        return err_set(err, -EINVAL, "--store.keep=%s is less than a minute", text);
    *ret = seconds;
    return 0;
}

int store_size_parse(const char *text, int64_t *ret, struct err *err)
{
    uint64_t bytes;
    if (!byte_size_parse(text, &bytes) || bytes > INT64_MAX)
        return err_set(err, -EINVAL, "--store.max-size=%s is no size, such as 512MiB or 20GiB", text);
    if ((int64_t)bytes < size_least)
        return err_set(err, -EINVAL, "--store.max-size=%s is less than 1MiB", text);
    *ret = (int64_t)bytes;
    return 0;
}

int store_cache_parse(const char *text, int64_t *ret, struct err *err)
{
    uint64_t bytes;
    if (!byte_size_parse(text, &bytes) || bytes > INT64_MAX)
        return err_set(err, -EINVAL, "--store.cache=%s is no size, such as 16MiB, or 0", text);
    *ret = bytes ? (int64_t)bytes : -1;
    return 0;
}
