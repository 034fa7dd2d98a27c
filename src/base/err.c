#include "base/err.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

/* A text longer than ERR_MAX is cut by contract. */
static void err_format_text(char *out, const char *fmt, va_list ap)
{
    (void)vsnprintf(out, ERR_MAX, fmt, ap);
}

int err_set(struct err *e, int code, const char *fmt, ...)
{
    if (!e)
        return code;
    /* Formatted aside, because an argument may be e->text itself. */
    char text[ERR_MAX];
    va_list ap;
    va_start(ap, fmt);
    err_format_text(text, fmt, ap);
    va_end(ap);
    memcpy(e->text, text, sizeof text);
    return e->code = code;
}

int err_errno(struct err *e, const char *fmt, ...)
{
    const int code = errno ? -errno : -EIO;
    if (!e)
        return code;
    char what[ERR_MAX];
    va_list ap;
    va_start(ap, fmt);
    err_format_text(what, fmt, ap);
    va_end(ap);
    return err_set(e, code, "%s: %s", what, strerror(-code));
}

int err_wrap(struct err *e, int code, const char *fmt, ...)
{
    if (!e)
        return code;
    char doing[ERR_MAX];
    va_list ap;
    va_start(ap, fmt);
    err_format_text(doing, fmt, ap);
    va_end(ap);
    return err_set(e, code, "%s: %s", doing, e->text);
}
