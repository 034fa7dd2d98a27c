#include "base/str.h"

#include "base/hash.h"
#include "base/mem.h"

int str_cmp(struct str a, struct str b)
{
    size_t n = a.n < b.n ? a.n : b.n;
    int order = n ? memcmp(a.p, b.p, n) : 0;
    return order ? order : (a.n > b.n) - (a.n < b.n);
}

bool str_has_prefix(struct str s, struct str prefix)
{
    return s.n >= prefix.n && str_eq((struct str){s.p, prefix.n}, prefix);
}

bool str_has_suffix(struct str s, struct str suffix)
{
    return s.n >= suffix.n && str_eq((struct str){s.p + (s.n - suffix.n), suffix.n}, suffix);
}

static bool is_space(char c)
{
    return c == ' ' || c == '\t' || c == '\n' || c == '\r';
}

struct str str_trim(struct str s)
{
    while (s.n && is_space(s.p[0]))
        s.p++, s.n--;
    while (s.n && is_space(s.p[s.n - 1]))
        s.n--;
    return s;
}

bool str_split(struct str *rest, char sep, struct str *ret)
{
    if (!rest->p)
        return false;
    const char *end = rest->n ? memchr(rest->p, sep, rest->n) : NULL;
    if (!end) {
        *ret = *rest;
        *rest = (struct str){NULL, 0};
        return true;
    }
    size_t n = (size_t)(end - rest->p);
    *ret = (struct str){rest->p, n};
    *rest = (struct str){end + 1, rest->n - n - 1};
    return true;
}

bool str_to_u64(struct str s, uint64_t *ret)
{
    uint64_t v = 0;
    for (size_t i = 0; i < s.n; i++) {
        if (s.p[i] < '0' || s.p[i] > '9' || __builtin_mul_overflow(v, 10, &v) ||
            __builtin_add_overflow(v, (uint64_t)(s.p[i] - '0'), &v))
            return false;
    }
    if (s.n == 0)
        return false;
    *ret = v;
    return true;
}

bool str_to_i64(struct str s, int64_t *ret)
{
    bool negative = s.n && s.p[0] == '-';
    if (negative)
        s.p++, s.n--;
    uint64_t v;
    if (!str_to_u64(s, &v) || v > (uint64_t)INT64_MAX + negative)
        return false;
    *ret = negative ? (int64_t)(0 - v) : (int64_t)v;
    return true;
}

char *str_dup(struct str s)
{
    return xstrndup(s.p, s.n);
}

/* Table 3-7 of the Unicode standard. */
size_t str_utf8_sequence(struct str s)
{
    const unsigned char *p = (const unsigned char *)s.p;
    if (p[0] < 0x80)
        return 1;
    size_t n = p[0] >= 0xf0 ? 4 : p[0] >= 0xe0 ? 3 : 2;
    if (p[0] < 0xc2 || p[0] > 0xf4 || s.n < n)
        return 0;
    unsigned char low = p[0] == 0xe0 ? 0xa0 : p[0] == 0xf0 ? 0x90 : 0x80;
    unsigned char high = p[0] == 0xed ? 0x9f : p[0] == 0xf4 ? 0x8f : 0xbf;
    if (p[1] < low || p[1] > high)
        return 0;
    for (size_t i = 2; i < n; i++) {
        if ((p[i] & 0xc0) != 0x80)
            return 0;
    }
    return n;
}

size_t str_rune(struct str s, uint32_t *ret)
{
    const unsigned char *p = (const unsigned char *)s.p;
    const size_t n = str_utf8_sequence(s);
    if (n == 0)
        return 0;
    uint32_t rune = n == 1 ? p[0] : p[0] & (0x7fu >> n);
    for (size_t i = 1; i < n; i++)
        rune = rune << 6 | (p[i] & 0x3f);
    *ret = rune;
    return n;
}

bool rune_is_control(uint32_t rune)
{
    return rune < ' ' || (rune >= 0x7f && rune < 0xa0) || rune == 0x200e || rune == 0x200f || rune == 0x061c ||
           (rune >= 0x2028 && rune <= 0x202e) || (rune >= 0x2066 && rune <= 0x2069) || rune == 0xfeff;
}

void str_one_line(struct str text, char *ret, size_t size)
{
    size_t at = 0;
    for (size_t i = 0; i < text.n;) {
        const struct str rest = {text.p + i, text.n - i};
        uint32_t rune = 0;
        const size_t n = str_rune(rest, &rune), taken = n ? n : 1;
        const bool control = n && rune_is_control(rune);
        const size_t put = control ? 1 : taken;
        if (at + put >= size)
            break;
        if (control)
            ret[at] = ' ';
        else
            memmove(ret + at, rest.p, put);
        at += put;
        i += taken;
    }
    ret[at] = '\0';
}

bool str_is_utf8(struct str s)
{
    for (size_t i = 0; i < s.n;) {
        size_t n = str_utf8_sequence((struct str){s.p + i, s.n - i});
        if (n == 0)
            return false;
        i += n;
    }
    return true;
}

uint64_t str_hash(struct str s)
{
    return hash_bytes(s.p, s.n);
}

static unsigned str_min3(unsigned a, unsigned b, unsigned c)
{
    unsigned m = a < b ? a : b;
    return m < c ? m : c;
}

unsigned str_distance(struct str a, struct str b, unsigned max)
{
    enum { LONGEST = 64 };
    if (a.n > LONGEST || b.n > LONGEST)
        return max + 1;
    /* What both begin and end with makes no difference. Most candidates are decided by that and by their lengths. */
    for (; a.n && b.n && *a.p == *b.p; a.p++, a.n--, b.p++, b.n--) {
    }
    for (; a.n && b.n && a.p[a.n - 1] == b.p[b.n - 1]; a.n--, b.n--) {
    }
    if ((a.n > b.n ? a.n - b.n : b.n - a.n) > max)
        return max + 1;
    unsigned row[LONGEST + 1];
    for (unsigned j = 0; j <= b.n; j++)
        row[j] = j;
    for (unsigned i = 1; i <= a.n; i++) {
        unsigned diagonal = row[0];
        row[0] = i;
        for (unsigned j = 1; j <= b.n; j++) {
            unsigned above = row[j];
            row[j] = str_min3(above + 1, row[j - 1] + 1, diagonal + (a.p[i - 1] != b.p[j - 1]));
            diagonal = above;
        }
    }
    return row[b.n] > max ? max + 1 : row[b.n];
}
