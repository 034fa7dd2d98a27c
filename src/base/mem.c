#include "base/mem.h"

#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void *or_abort(void *p)
{
    if (!p) {
        fputs("smolder: out of memory\n", stderr);
        abort();
    }
    return p;
}

void *xmalloc(size_t n)
{
    return or_abort(malloc(n ? n : 1));
}

void *xcalloc(size_t n, size_t size)
{
    return or_abort(calloc(n ? n : 1, size ? size : 1));
}

void *xrealloc(void *p, size_t n)
{
    return or_abort(realloc(p, n ? n : 1));
}

char *xstrdup(const char *s)
{
    return or_abort(strdup(s));
}

char *xstrndup(const char *s, size_t n)
{
    char *copy = xmalloc(n + 1);
    if (n)
        memcpy(copy, s, n);
    copy[n] = '\0';
    return copy;
}

char *xasprintf(const char *fmt, ...)
{
    va_list ap;
    va_start(ap, fmt);
    char *text = NULL;
    int n = vasprintf(&text, fmt, ap);
    va_end(ap);
    return or_abort(n < 0 ? NULL : text);
}

#ifdef __has_feature
#define HAS_FEATURE(x) __has_feature(x)
#else
#define HAS_FEATURE(x) 0
#endif
#if defined __SANITIZE_ADDRESS__ || HAS_FEATURE(address_sanitizer)
enum { MOVES_OFTEN = 1 };
#else
enum { MOVES_OFTEN = 0 };
#endif

size_t mem_capacity(size_t cap, size_t want, size_t first)
{
    if (MOVES_OFTEN)
        return want + want / 16;
    size_t n = cap ? cap : first;
    while (n < want)
        n *= 2;
    return n;
}

bool mem_grow_beyond(void *array, size_t *cap, size_t want, size_t size)
{
    const size_t n = mem_capacity(*cap, want, 8);
    void **p = array;
    void *more = n > SIZE_MAX / size ? NULL : realloc(*p, n * size);
    if (!more)
        return false;
    *p = more;
    *cap = n;
    return true;
}

void xgrow_beyond(void *array, size_t *cap, size_t want, size_t size)
{
    if (!mem_grow_beyond(array, cap, want, size))
        or_abort(NULL);
}
