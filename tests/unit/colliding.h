/* Texts that all have one XXH3_64bits without a seed, letters only: what hostile names look like.
 *
 * In its long form lanes of different stripes are multiplied with words of a secret that everybody knows, and added.
 * Where the low halves of two lanes are equal behind the secret, the high ones may trade bits: here are 17 such trades.
 */
#pragma once

#include <stddef.h>
#include <string.h>

#include "base/str.h"

enum { COLLIDING_BYTES = 384, COLLIDING_BITS = 17 };

static const char colliding_base[COLLIDING_BYTES + 1] =
    "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa0aaa````aaaaaaaaaaaaaaaaaaaaaaaa"
    "aaaaaaaaaaaaaaaaaaaaaaaa0aaa````yBWRooooaaaaaaaaaaaaaaaaaaaaaaaa"
    "aaaaaaaaaaaaaaaa0aaa````yBWRooooaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
    "aaaaaaaa0aaa````yBWRooooaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
    "aaaaaaaayBWRooooaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
    "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa";
static const struct {
    unsigned short up, down;
    unsigned char bit;
} colliding_trades[COLLIDING_BITS] = {{204, 268, 0}, {204, 268, 1}, {204, 268, 2}, {204, 268, 3}, {206, 270, 3},
                                      {207, 271, 1}, {207, 271, 2}, {148, 212, 0}, {148, 212, 1}, {148, 212, 2},
                                      {148, 212, 3}, {150, 214, 3}, {151, 215, 1}, {151, 215, 2}, {92, 156, 0},
                                      {92, 156, 1},  {92, 156, 2}};

/* The i-th of 2^COLLIDING_BITS, in `room`. */
static inline struct str colliding_text(unsigned i, char room[COLLIDING_BYTES])
{
    memcpy(room, colliding_base, COLLIDING_BYTES);
    for (unsigned k = 0; k < COLLIDING_BITS; k++) {
        if (!(i >> k & 1))
            continue;
        room[colliding_trades[k].up] |= (char)(1 << colliding_trades[k].bit);
        room[colliding_trades[k].down] &= (char)~(1 << colliding_trades[k].bit);
    }
    return (struct str){room, COLLIDING_BYTES};
}
