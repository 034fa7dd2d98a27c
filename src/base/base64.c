#include "base/base64.h"

#include <errno.h>

const char base64_standard[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
const char base64_url[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

enum { BYTES = 3, CHARACTERS = 4, BITS = 6, MASK = 63 }; /* of a group; per character */

static uint32_t byte_at(struct str s, size_t i)
{
    return i < s.n ? (unsigned char)s.p[i] : 0;
}

void base64_write(struct str s, const char *alphabet, struct buf *out)
{
    for (size_t i = 0; i < s.n && buf_ok(out); i += BYTES) {
        uint32_t bits = byte_at(s, i) << 16 | byte_at(s, i + 1) << 8 | byte_at(s, i + 2);
        for (size_t k = 0; k < CHARACTERS; k++)
            buf_byte(out, i + k > s.n ? '=' : (uint8_t)alphabet[bits >> (BITS * (CHARACTERS - 1 - k)) & MASK]);
    }
}

char *base64_encode(struct str s)
{
    struct buf out = BUF_INIT(SIZE_MAX);
    base64_write(s, base64_standard, &out);
    return (char *)buf_take(&out, NULL);
}

int base64_decode(struct str s, const char *alphabet, struct buf *out, struct err *err)
{
    uint32_t bits = 0;
    size_t have = 0, padding = 0, first = 0, i;
    bool ended = false;
    for (i = 0; i < s.n; i++) {
        char c = s.p[i];
        const char *hit = c ? strchr(alphabet, c) : NULL;
        if (c == '\r' || c == '\n')
            continue;
        first = have == 0 ? i : first;
        if (!ended && c == '=' && have >= 2)
            padding++;
        else if (!hit || padding || ended)
            break;
        bits = bits << BITS | (hit ? (uint32_t)(hit - alphabet) : 0);
        if (++have < CHARACTERS)
            continue;
        for (size_t k = 0; k < BYTES - padding; k++)
            buf_byte(out, (uint8_t)(bits >> (16 - 8 * k)));
        ended = padding > 0;
        have = padding = 0;
    }
    if (i == s.n && have == 0)
        return 0;
    /* As the reference counts: a group cut short is bad from its start, one that lacks its padding where that should
     * be. */
    size_t bad = i < s.n ? i - (padding > 0) : padding ? s.n : first;
    return err_set(err, -EINVAL, "illegal base64 data at input byte %zu", bad);
}
