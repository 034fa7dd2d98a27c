#include "jfr/varint.h"

const uint8_t *jfr_varint_checked(const uint8_t *p, const uint8_t *end, uint64_t *ret)
{
    *ret = 0;
    if (!p)
        return NULL;
    uint64_t v = 0;
    for (unsigned i = 0; i < JFR_VARINT_MAX; i++) {
        if (p >= end)
            return NULL;
        uint64_t b = *p++;
        if (i == JFR_VARINT_MAX - 1)
            v |= b << 56;
        else
            v |= (b & 0x7f) << (7 * i);
        if (b < 0x80)
            break;
    }
    *ret = v;
    return p;
}

const uint8_t *jfr_varint_skip_slow(const uint8_t *p, const uint8_t *end, uint64_t n)
{
    uint64_t ignored;
    while (p && n-- > 0)
        p = jfr_varint(p, end, &ignored);
    return p;
}

/* How many bits are set up to and with each byte. */
static inline uint64_t varint_running_counts(uint64_t bits)
{
    bits -= bits >> 1 & UINT64_C(0x5555555555555555);
    bits = (bits & UINT64_C(0x3333333333333333)) + (bits >> 2 & UINT64_C(0x3333333333333333));
    return ((bits + (bits >> 4)) & UINT64_C(0x0f0f0f0f0f0f0f0f)) * JFR_VARINT_LOW;
}

/* Where the nth bit is, of those that are counted. */
static inline unsigned varint_find_bit(uint64_t bits, uint64_t counts, unsigned n)
{
    const uint64_t reached = ((counts | JFR_VARINT_HIGH) - n * JFR_VARINT_LOW) & JFR_VARINT_HIGH;
    const unsigned byte = (unsigned)__builtin_ctzll(reached) - 7;
    bits >>= byte;
    for (n -= (unsigned)(counts << 8 >> byte & 0xff); n > 1; n--)
        bits &= bits - 1;
    return byte + (unsigned)__builtin_ctzll(bits);
}

const uint8_t *jfr_varint_skip_many(const uint8_t *p, const uint8_t *end, uint64_t n)
{
    unsigned open = 0;
    for (; end - p >= JFR_VARINT_LOOK; p += JFR_VARINT_LOOK) {
        const uint64_t ends = jfr_varint_ends(p), more = ~ends;
        uint64_t run = more & more >> 1;
        run &= run >> 2;
        run &= run >> 4;
        /* Eight in a row may be a nine-byte number: not here. */
        if (run || open + (unsigned)__builtin_ctzll(ends) >= 8)
            break;
        const uint64_t counts = varint_running_counts(ends), count = counts >> 56;
        if (count >= n)
            return p + varint_find_bit(ends, counts, (unsigned)n) + 1;
        n -= count;
        open = (unsigned)__builtin_clzll(ends);
    }
    return jfr_varint_skip_words(p, end, n, open);
}
