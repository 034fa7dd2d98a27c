/* Bounds-checked reader for untrusted bytes.
 *
 * Failure is sticky: reads past the end return 0 and set `bad`, so a parser checks once per item, not once per byte.
 * Borrowed bytes; no allocation. Encodings: big-endian fixed width, and LEB128 as in JFR (7 bits per byte, the ninth
 * byte has 8, over-long forms allowed).
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/str.h"

struct cursor {
    const uint8_t *p, *end;
    bool bad;
};

static inline struct cursor cursor_of(const void *p, size_t n)
{
    const uint8_t *from = p ? p : (const uint8_t *)""; /* NULL has no end */
    return (struct cursor){from, from + n, false};
}

static inline size_t cursor_left(const struct cursor *c)
{
    return (size_t)(c->end - c->p);
}

/* n bytes in place, or NULL (and bad) where fewer are left. */
static inline const uint8_t *cursor_bytes(struct cursor *c, uint64_t n)
{
    if (c->bad || n > cursor_left(c)) {
        c->bad = true;
        c->p = c->end;
        return NULL;
    }
    const uint8_t *p = c->p;
    c->p += n;
    return p;
}

static inline uint8_t cursor_u8(struct cursor *c)
{
    if (c->p >= c->end) {
        c->bad = true;
        return 0;
    }
    return *c->p++;
}

static inline uint64_t cursor_be(struct cursor *c, unsigned width)
{
    const uint8_t *p = cursor_bytes(c, width);
    uint64_t v = 0;
    for (unsigned i = 0; p && i < width; i++)
        v = v << 8 | p[i];
    return v;
}

static inline uint16_t cursor_be16(struct cursor *c)
{
    return (uint16_t)cursor_be(c, 2);
}

static inline uint32_t cursor_be32(struct cursor *c)
{
    return (uint32_t)cursor_be(c, 4);
}

static inline uint64_t cursor_be64(struct cursor *c)
{
    return cursor_be(c, 8);
}

static inline uint64_t cursor_varint(struct cursor *c)
{
    uint64_t v = 0;
    for (unsigned shift = 0; shift < 56; shift += 7) {
        uint8_t b = cursor_u8(c);
        v |= (uint64_t)(b & 0x7f) << shift;
        if (b < 0x80)
            return v;
    }
    return v | (uint64_t)cursor_u8(c) << 56;
}

static inline struct str cursor_str(struct cursor *c, uint64_t n)
{
    const char *p = (const char *)cursor_bytes(c, n);
    return (struct str){p, p ? (size_t)n : 0};
}
