#include "flow/md5.h"

enum { BLOCK = 64, LENGTH_AT = 56 };

struct state {
    uint32_t a, b, c, d;
};

/* RFC 1321 §3.4: floor(2^32 * |sin(i + 1)|). */
static const uint32_t sines[64] = {
    0xd76aa478, 0xe8c7b756, 0x242070db, 0xc1bdceee, 0xf57c0faf, 0x4787c62a, 0xa8304613, 0xfd469501,
    0x698098d8, 0x8b44f7af, 0xffff5bb1, 0x895cd7be, 0x6b901122, 0xfd987193, 0xa679438e, 0x49b40821,
    0xf61e2562, 0xc040b340, 0x265e5a51, 0xe9b6c7aa, 0xd62f105d, 0x02441453, 0xd8a1e681, 0xe7d3fbc8,
    0x21e1cde6, 0xc33707d6, 0xf4d50d87, 0x455a14ed, 0xa9e3e905, 0xfcefa3f8, 0x676f02d9, 0x8d2a4c8a,
    0xfffa3942, 0x8771f681, 0x6d9d6122, 0xfde5380c, 0xa4beea44, 0x4bdecfa9, 0xf6bb4b60, 0xbebfbc70,
    0x289b7ec6, 0xeaa127fa, 0xd4ef3085, 0x04881d05, 0xd9d4d039, 0xe6db99e5, 0x1fa27cf8, 0xc4ac5665,
    0xf4292244, 0x432aff97, 0xab9423a7, 0xfc93a039, 0x655b59c3, 0x8f0ccc92, 0xffeff47d, 0x85845dd1,
    0x6fa87e4f, 0xfe2ce6e0, 0xa3014314, 0x4e0811a1, 0xf7537e82, 0xbd3af235, 0x2ad7d2bb, 0xeb86d391,
};
static const uint8_t shifts[4][4] = {{7, 12, 17, 22}, {5, 9, 14, 20}, {4, 11, 16, 23}, {6, 10, 15, 21}};

static uint32_t little_endian(const uint8_t *p)
{
    return (uint32_t)p[0] | (uint32_t)p[1] << 8 | (uint32_t)p[2] << 16 | (uint32_t)p[3] << 24;
}

static void put_little_endian(uint8_t *p, uint64_t v, int width)
{
    for (int i = 0; i < width; i++)
        p[i] = (uint8_t)(v >> 8 * i);
}

static void digest_block(struct state *s, const uint8_t *block)
{
    struct state v = *s;
    for (unsigned i = 0; i < 64; i++) {
        uint32_t f;
        unsigned word;
        switch (i / 16) {
        case 0:
            f = (v.b & v.c) | (~v.b & v.d);
            word = i;
            break;
        case 1:
            f = (v.d & v.b) | (~v.d & v.c);
            word = (5 * i + 1) % 16;
            break;
        case 2:
            f = v.b ^ v.c ^ v.d;
            word = (3 * i + 5) % 16;
            break;
        default:
            f = v.c ^ (v.b | ~v.d);
            word = (7 * i) % 16;
            break;
        }
        const uint32_t sum = v.a + f + sines[i] + little_endian(block + 4 * word);
        const unsigned by = shifts[i / 16][i % 4];
        v = (struct state){.a = v.d, .b = v.b + (sum << by | sum >> (32 - by)), .c = v.b, .d = v.c};
    }
    s->a += v.a;
    s->b += v.b;
    s->c += v.c;
    s->d += v.d;
}

void md5(struct str text, uint8_t out[MD5_SIZE])
{
    struct state s = {0x67452301, 0xefcdab89, 0x98badcfe, 0x10325476};
    const uint8_t *p = (const uint8_t *)text.p;
    size_t left = text.n;
    for (; left >= BLOCK; p += BLOCK, left -= BLOCK)
        digest_block(&s, p);
    uint8_t last[2 * BLOCK] = {0};
    if (left)
        memcpy(last, p, left);
    last[left] = 0x80;
    const size_t size = left < LENGTH_AT ? BLOCK : 2 * BLOCK;
    put_little_endian(last + size - 8, (uint64_t)text.n * 8, 8);
    for (size_t at = 0; at < size; at += BLOCK)
        digest_block(&s, last + at);
    put_little_endian(out, s.a, 4);
    put_little_endian(out + 4, s.b, 4);
    put_little_endian(out + 8, s.c, 4);
    put_little_endian(out + 12, s.d, 4);
}
