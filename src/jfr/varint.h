/* JFR's variable-length integers at speed: the inner loop of everything here.
 *
 * Seven bits a byte, low ones first, high bit = more; the ninth byte carries eight bits and ends the number whatever
 * its high bit says; over-long forms are fine. (base/cursor.h reads the same, one checked byte at a time.) All
 * functions take and return a position and give NULL once the bytes up to `end` do not suffice; a NULL position stays
 * NULL.
 * Source: jdk.jfr.internal.EventWriter.putLong; spec jfr-asprof §1.2.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>
#include <string.h>

enum { JFR_VARINT_MAX = 9 };

/* Near the end of the bytes, or NULL. */
const uint8_t *jfr_varint_checked(const uint8_t *p, const uint8_t *end, uint64_t *ret);
/* As jfr_varint_skip, one number at a time. */
const uint8_t *jfr_varint_skip_slow(const uint8_t *p, const uint8_t *end, uint64_t n);

/* The caller has made sure of JFR_VARINT_MAX bytes at p. */
static inline const uint8_t *jfr_varint_unchecked(const uint8_t *p, uint64_t *ret)
{
    uint64_t b = *p++;
    if (b < 0x80) {
        *ret = b;
        return p;
    }
    uint64_t v = b & 0x7f;
    for (unsigned shift = 7; shift < 56; shift += 7) {
        b = *p++;
        v |= (b & 0x7f) << shift;
        if (b < 0x80) {
            *ret = v;
            return p;
        }
    }
    *ret = v | (uint64_t)*p++ << 56;
    return p;
}

static inline const uint8_t *jfr_varint(const uint8_t *p, const uint8_t *end, uint64_t *ret)
{
    return p && end - p >= JFR_VARINT_MAX ? jfr_varint_unchecked(p, ret) : jfr_varint_checked(p, end, ret);
}

/* Steps over n numbers, eight bytes at a time: a byte without its high bit ends one. */
static inline const uint8_t *jfr_varint_skip(const uint8_t *p, const uint8_t *end, uint64_t n)
{
    const uint64_t high = UINT64_C(0x8080808080808080), ones = UINT64_C(0x0101010101010101);
    unsigned open = 0; /* bytes of an unfinished number before p */
    if (!p || n == 0)
        return p;
    while (end - p >= 8) {
        uint64_t w;
        memcpy(&w, p, sizeof w);
        uint64_t ends = ~w & high; /* little-endian: the lowest set bit is the first end */
        /* A nine-byte number may end with its high bit set: that is for the slow loop. */
        if (ends == 0 || open + (unsigned)__builtin_ctzll(ends) / 8 >= 8)
            break;
        uint64_t count = (ends >> 7) * ones >> 56;
        if (count >= n) {
            while (--n > 0)
                ends &= ends - 1;
            return p + (unsigned)__builtin_ctzll(ends) / 8 + 1;
        }
        n -= count;
        open = (unsigned)__builtin_clzll(ends) / 8;
        p += 8;
    }
    return jfr_varint_skip_slow(p - open, end, n);
}

_Static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__, "jfr_varint_skip counts from the low end");
