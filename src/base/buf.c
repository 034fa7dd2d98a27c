#include "base/buf.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"

static bool buf_make_room(struct buf *b, size_t n)
{
    if (b->failed || n > b->max - b->len) {
        b->failed = true;
        return false;
    }
    size_t want = b->len + n + 1;
    if (want <= b->cap)
        return true;
    const size_t cap = mem_capacity(b->cap, want, 64);
    uint8_t *p = realloc(b->p, cap);
    if (!p) {
        b->failed = true;
        return false;
    }
    b->p = p;
    b->cap = cap;
    return true;
}

uint8_t *buf_grow(struct buf *b, size_t n)
{
    return buf_make_room(b, n) ? b->p + b->len : NULL;
}

void buf_append(struct buf *b, const void *p, size_t n)
{
    uint8_t *to = buf_reserve(b, n);
    if (!to)
        return;
    if (n)
        memcpy(to, p, n);
    to[n] = '\0';
    b->len += n;
}

void buf_str(struct buf *b, struct str s)
{
    buf_append(b, s.p, s.n);
}

void buf_puts(struct buf *b, const char *s)
{
    buf_append(b, s, strlen(s));
}

void buf_byte(struct buf *b, uint8_t c)
{
    buf_append(b, &c, 1);
}

void buf_printf(struct buf *b, const char *fmt, ...)
{
    va_list ap;
    va_start(ap, fmt);
    int n = vsnprintf(NULL, 0, fmt, ap);
    va_end(ap);
    if (n < 0 || !buf_make_room(b, (size_t)n)) {
        b->failed = true;
        return;
    }
    va_start(ap, fmt);
    vsnprintf((char *)b->p + b->len, (size_t)n + 1, fmt, ap);
    va_end(ap);
    b->len += (size_t)n;
}

const char *buf_cstr(struct buf *b)
{
    if (!b->p)
        return "";
    b->p[b->len] = '\0';
    return (const char *)b->p;
}

uint8_t *buf_take(struct buf *b, size_t *len)
{
    bool usable = buf_make_room(b, 0);
    uint8_t *p = usable ? b->p : NULL;
    if (usable) {
        p[b->len] = '\0';
        if (len)
            *len = b->len;
        b->p = NULL;
    }
    buf_done(b);
    return p;
}

void buf_reset(struct buf *b)
{
    b->len = 0;
    b->failed = false;
}

void buf_done(struct buf *b)
{
    free(b->p);
    *b = BUF_INIT(b->max);
}
