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
