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

#ifdef __SSE2__
/* Of 64 bytes: a bit for each with its high bit set, and how many have none. */
static inline uint64_t look_at_64(const uint8_t *p, uint64_t *ends)
{
    const __m128i zero = _mm_setzero_si128(), all = _mm_set1_epi8(-1);
    __m128i count = zero;
    uint64_t more = 0;
    for (unsigned i = 0; i < 4; i++) {
        const __m128i bytes = _mm_loadu_si128((const __m128i *)(p + 16 * i));
        more |= (uint64_t)(uint32_t)_mm_movemask_epi8(bytes) << (16 * i);
        count = _mm_sub_epi8(count, _mm_cmpgt_epi8(bytes, all));
    }
    const __m128i sums = _mm_sad_epu8(count, zero);
    *ends = (uint64_t)_mm_cvtsi128_si64(sums) + (uint64_t)_mm_extract_epi16(sums, 4);
    return more;
}

const uint8_t *jfr_varint_skip_many(const uint8_t *p, const uint8_t *end, uint64_t n)
{
    unsigned open = 0;
    for (; end - p >= 64; p += 64) {
        uint64_t ends, more = look_at_64(p, &ends), run = more & more >> 1;
        run &= run >> 2;
        run &= run >> 4;
        /* Eight in a row may be a nine-byte number: not here, nor where the last number ends in this block. */
        if (run || ends >= n || open + (unsigned)__builtin_ctzll(~more) >= 8)
            break;
        n -= ends;
        open = (unsigned)__builtin_clzll(~more);
    }
    return jfr_varint_skip_words(p, end, n, open);
}
#else
const uint8_t *jfr_varint_skip_many(const uint8_t *p, const uint8_t *end, uint64_t n)
{
    return jfr_varint_skip_words(p, end, n, 0);
}
#endif
