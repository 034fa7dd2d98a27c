/* Growable byte buffer with a mandatory maximum, because it grows with input.
 *
 * Failure is sticky: after a rejected append all later ones are rejected, and buf_ok() reports it once at the end.
 * Callers need no check per append. The content is always followed by a NUL that is not counted in `len`.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "base/str.h"

struct buf {
    uint8_t *p; /* owned */
    size_t len, cap;
    size_t max; /* bytes; appends beyond it fail */
    bool failed;
};

#define BUF_INIT(maximum) ((struct buf){.max = (maximum)})

/* Out of line: where the memory does not suffice. */
uint8_t *buf_grow(struct buf *b, size_t n);
/* Room for n more bytes, to be filled by the caller and then counted with b->len += n; NULL when refused. */
static inline uint8_t *buf_reserve(struct buf *b, size_t n)
{
    return !b->failed && n < b->cap - b->len && n <= b->max - b->len ? b->p + b->len : buf_grow(b, n);
}
void buf_append(struct buf *b, const void *p, size_t n);
void buf_str(struct buf *b, struct str s);
void buf_puts(struct buf *b, const char *s);
void buf_byte(struct buf *b, uint8_t c);
void buf_printf(struct buf *b, const char *fmt, ...) printf_like(2, 3);
static inline bool buf_ok(const struct buf *b)
{
    return !b->failed;
}
static inline struct str buf_slice(const struct buf *b)
{
    return (struct str){(const char *)b->p, b->len};
}
/* As a C string; "" when empty. Borrowed until the next append. */
const char *buf_cstr(struct buf *b);
/* Content moves to the caller (NUL-terminated, to be freed) and the buffer is empty; NULL if it failed. */
uint8_t *buf_take(struct buf *b, size_t *len);
/* Empties but keeps the memory. */
void buf_reset(struct buf *b);
void buf_done(struct buf *b);
#define cleanup_buf __attribute__((cleanup(buf_done)))
