#include "jvm/attach/sha1.h"

#include <stdint.h>
#include <stdio.h>
#include <string.h>

enum { BLOCK = 64, ROUNDS = 80, LENGTH_AT = 56 };

static uint32_t sha1_rotate(uint32_t v, unsigned by)
{
    return v << by | v >> (32 - by);
}

static void sha1_mix(uint32_t h[5], const uint8_t *block)
{
    uint32_t w[ROUNDS];
    for (unsigned i = 0; i < 16; i++)
        w[i] = (uint32_t)block[4 * i] << 24 | (uint32_t)block[4 * i + 1] << 16 | (uint32_t)block[4 * i + 2] << 8 |
               block[4 * i + 3];
    for (unsigned i = 16; i < ROUNDS; i++)
        w[i] = sha1_rotate(w[i - 3] ^ w[i - 8] ^ w[i - 14] ^ w[i - 16], 1);
    uint32_t a = h[0], b = h[1], c = h[2], d = h[3], e = h[4];
    for (unsigned i = 0; i < ROUNDS; i++) {
        uint32_t f = i < 20   ? ((b & c) | (~b & d)) + 0x5a827999
                     : i < 40 ? (b ^ c ^ d) + 0x6ed9eba1
                     : i < 60 ? ((b & c) | (b & d) | (c & d)) + 0x8f1bbcdc
                              : (b ^ c ^ d) + 0xca62c1d6;
        uint32_t next = sha1_rotate(a, 5) + f + e + w[i];
        e = d;
        d = c;
        c = sha1_rotate(b, 30);
        b = a;
        a = next;
    }
    h[0] += a;
    h[1] += b;
    h[2] += c;
    h[3] += d;
    h[4] += e;
}

void sha1_hex(const void *p, size_t n, char ret[SHA1_HEX_SIZE])
{
    uint32_t h[5] = {0x67452301, 0xefcdab89, 0x98badcfe, 0x10325476, 0xc3d2e1f0};
    const uint8_t *from = p;
    size_t left = n;
    for (; left >= BLOCK; from += BLOCK, left -= BLOCK)
        sha1_mix(h, from);
    uint8_t tail[2 * BLOCK] = {0};
    if (left)
        memcpy(tail, from, left);
    tail[left] = 0x80;
    size_t end = left < LENGTH_AT ? BLOCK : 2 * BLOCK;
    for (unsigned i = 0; i < 8; i++)
        tail[end - 1 - i] = (uint8_t)((uint64_t)n * 8 >> 8 * i);
    for (size_t at = 0; at < end; at += BLOCK)
        sha1_mix(h, tail + at);
    for (unsigned i = 0; i < 5; i++)
        snprintf(ret + 8 * i, 9, "%08x", h[i]);
}
