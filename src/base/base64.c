#include "base/base64.h"

#include "base/mem.h"

char *base64_encode(struct str s)
{
    static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    char *out = xmalloc((s.n + 2) / 3 * 4 + 1), *p = out;
    for (size_t i = 0; i < s.n; i += 3) {
        unsigned long v = 0;
        for (size_t k = 0; k < 3; k++)
            v = v << 8 | (i + k < s.n ? (unsigned char)s.p[i + k] : 0);
        for (size_t k = 0; k < 4; k++)
            *p++ = i + k > s.n ? '=' : digits[v >> (18 - 6 * k) & 63];
    }
    *p = '\0';
    return out;
}
