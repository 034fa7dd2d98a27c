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

#ifdef __SSE2__
#include <emmintrin.h>
#endif

enum { JFR_VARINT_MAX = 9 };

/* Near the end of the bytes, or NULL. */
const uint8_t *jfr_varint_checked(const uint8_t *p, const uint8_t *end, uint64_t *ret);
/* As jfr_varint_skip, one number at a time. */
const uint8_t *jfr_varint_skip_slow(const uint8_t *p, const uint8_t *end, uint64_t n);

/* The high and the low bit of each of eight bytes. */
#define JFR_VARINT_HIGH UINT64_C(0x8080808080808080)
#define JFR_VARINT_LOW  UINT64_C(0x0101010101010101)

static inline uint64_t jfr_load64(const uint8_t *p)
{
    uint64_t w;
    memcpy(&w, p, sizeof w);
    return w;
}

/* Eight bytes, low ones first, without their high bits and pushed together. */
static inline uint64_t jfr_varint_squeeze(uint64_t w)
{
    w &= ~JFR_VARINT_HIGH;
    w = (w & UINT64_C(0x007f007f007f007f)) | (w & UINT64_C(0x7f007f007f007f00)) >> 1;
    w = (w & UINT64_C(0x00003fff00003fff)) | (w & UINT64_C(0x3fff00003fff0000)) >> 2;
    return (w & UINT64_C(0x0fffffff)) | (w & UINT64_C(0x0fffffff00000000)) >> 4;
}

/* The caller has made sure of JFR_VARINT_MAX bytes at p. One and two bytes are what there is most of; how long the
 * others are is found without asking byte by byte. */
static inline const uint8_t *jfr_varint_unchecked(const uint8_t *p, uint64_t *ret)
{
    if (p[0] < 0x80) {
        *ret = p[0];
        return p + 1;
    }
    if (p[1] < 0x80) {
        *ret = (p[0] & 0x7f) | (uint64_t)p[1] << 7;
        return p + 2;
    }
    const uint64_t w = jfr_load64(p), ends = ~w & JFR_VARINT_HIGH; /* little-endian: the lowest set bit is the end */
    if (ends == 0) {
        *ret = jfr_varint_squeeze(w) | (uint64_t)p[JFR_VARINT_MAX - 1] << 56;
        return p + JFR_VARINT_MAX;
    }
    *ret = jfr_varint_squeeze(w & ((ends & -ends) - 1));
    return p + (unsigned)__builtin_ctzll(ends) / 8 + 1;
}

static inline const uint8_t *jfr_varint(const uint8_t *p, const uint8_t *end, uint64_t *ret)
{
    return p && end - p >= JFR_VARINT_MAX ? jfr_varint_unchecked(p, ret) : jfr_varint_checked(p, end, ret);
}

/* Steps over one number; as jfr_varint_unchecked. */
static inline const uint8_t *jfr_varint_step(const uint8_t *p)
{
    const uint64_t ends = ~jfr_load64(p) & JFR_VARINT_HIGH;
    return p + (ends ? (unsigned)__builtin_ctzll(ends) / 8 + 1 : JFR_VARINT_MAX);
}

/* Steps over n > 0 numbers, JFR_VARINT_MAX bytes for each of which the caller has made sure of. Mostly one look has
 * them all. */
static inline const uint8_t *jfr_varint_steps(const uint8_t *p, uint32_t n)
{
    uint64_t ends = ~jfr_load64(p) & JFR_VARINT_HIGH;
    for (uint32_t i = 1; i < n; i++)
        ends &= ends - 1;
    if (ends)
        return p + (unsigned)__builtin_ctzll(ends) / 8 + 1;
    for (; n > 0; n--)
        p = jfr_varint_step(p);
    return p;
}

/* A bit for each of JFR_VARINT_LOOK bytes, which the caller has made sure of: set where one ends a number, but for
 * nine-byte ones. */
enum { JFR_VARINT_LOOK = 64 };
static inline uint64_t jfr_varint_ends(const uint8_t *p)
{
    uint64_t more = 0;
#ifdef __SSE2__
    for (unsigned i = 0; i < JFR_VARINT_LOOK; i += 16)
        more |= (uint64_t)(uint32_t)_mm_movemask_epi8(_mm_loadu_si128((const __m128i *)(p + i))) << i;
#else
    for (unsigned i = 0; i < JFR_VARINT_LOOK; i += 8) {
        const uint64_t bits = (jfr_load64(p + i) & JFR_VARINT_HIGH) >> 7;
        more |= (bits * UINT64_C(0x0102040810204080) >> 56) << i;
    }
#endif
    return ~more;
}

/* Steps over n numbers, eight bytes at a time: a byte without its high bit ends one. `open` bytes before p belong to a
 * number that is not at its end yet. */
static inline const uint8_t *jfr_varint_skip_words(const uint8_t *p, const uint8_t *end, uint64_t n, unsigned open)
{
    while (end - p >= 8) {
        uint64_t ends = ~jfr_load64(p) & JFR_VARINT_HIGH;
        /* A nine-byte number may end with its high bit set: that is for the slow loop. */
        if (ends == 0 || open + (unsigned)__builtin_ctzll(ends) / 8 >= 8)
            break;
        uint64_t count = (ends >> 7) * JFR_VARINT_LOW >> 56;
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

/* For many numbers: JFR_VARINT_LOOK bytes at a time. */
const uint8_t *jfr_varint_skip_many(const uint8_t *p, const uint8_t *end, uint64_t n);

/* Steps over n numbers. */
static inline const uint8_t *jfr_varint_skip(const uint8_t *p, const uint8_t *end, uint64_t n)
{
    enum { MANY = 32 };
    if (!p || n == 0)
        return p;
    return n < MANY ? jfr_varint_skip_words(p, end, n, 0) : jfr_varint_skip_many(p, end, n);
}

_Static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__, "numbers are looked for from the low end");
