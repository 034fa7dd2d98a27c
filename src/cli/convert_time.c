#include "cli/convert_time.h"

#include "base/clock.h"

#include <ctype.h>
#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

static const int64_t SECONDS_MAX = INT64_MAX / NS_PER_SEC - 1;

/* ".25" as nanoseconds; what is finer is cut. */
static const char *read_fraction(const char *p, int64_t *ns)
{
    *ns = 0;
    if (*p != '.' || !isdigit((unsigned char)p[1]))
        return p;
    int64_t unit = NS_PER_SEC;
    for (p++; isdigit((unsigned char)*p); p++) {
        unit /= 10;
        *ns += unit * (*p - '0');
    }
    return p;
}

static bool read_seconds(const char *text, int64_t *ret)
{
    int64_t seconds = 0, ns;
    const char *p = text;
    for (; isdigit((unsigned char)*p); p++) {
        if (seconds > SECONDS_MAX / 10 - 1)
            return false;
        seconds = seconds * 10 + (*p - '0');
    }
    if (p == text)
        return false;
    p = read_fraction(p, &ns);
    *ret = seconds * NS_PER_SEC + ns;
    return *p == '\0';
}

/* "Z" or "+02:00". */
static bool read_offset(const char *p, int64_t *seconds)
{
    *seconds = 0;
    if ((*p == 'Z' || *p == 'z') && p[1] == '\0')
        return true;
    if ((*p != '+' && *p != '-') || strlen(p) != strlen("+00:00") || p[3] != ':')
        return false;
    for (int i = 1; i < 6; i++) {
        if (i != 3 && !isdigit((unsigned char)p[i]))
            return false;
    }
    int64_t hours = (p[1] - '0') * 10 + (p[2] - '0'), minutes = (p[4] - '0') * 10 + (p[5] - '0');
    *seconds = (*p == '-' ? -1 : 1) * (hours * 3600 + minutes * 60);
    return hours < 24 && minutes < 60;
}

static bool read_rfc3339(const char *text, int64_t *ret)
{
    struct tm tm = {0};
    int64_t ns, offset;
    const char *p = strptime(text, "%Y-%m-%d", &tm);
    if (!p || (*p != 'T' && *p != 't' && *p != ' '))
        return false;
    p = strptime(p + 1, "%H:%M:%S", &tm);
    if (!p)
        return false;
    p = read_fraction(p, &ns);
    if (!read_offset(p, &offset))
        return false;
    int64_t seconds = (int64_t)timegm(&tm) - offset;
    if (seconds < 0 || seconds > SECONDS_MAX)
        return false;
    *ret = seconds * NS_PER_SEC + ns;
    return true;
}

int time_read(const char *flag, const char *text, int64_t *ret, struct err *err)
{
    int64_t ns;
    if (!*text)
        return 0;
    if (!read_rfc3339(text, &ns) && !read_seconds(text, &ns))
        return err_set(err, -EINVAL, "--%s=%s: expected a time such as 2026-01-31T12:00:00Z, or seconds since 1970",
                       flag, text);
    *ret = ns;
    return 0;
}
