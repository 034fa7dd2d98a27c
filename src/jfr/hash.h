/* Hashing of numbers that strangers choose: nobody outside this process can know which ones collide.
 *
 * Ids in recordings and profiles are foreign; with a fixed function a hostile file could put them all into one bucket
 * and make every look-up a walk. The seed is the kernel's random bytes for this process (getauxval(3), AT_RANDOM).
 */
#pragma once

#include <stdint.h>

extern uint64_t jfr_hash_seed; /* set before main(), constant since */

/* As jfr_hash in one multiplication: the low bits are of no use, the high ones are (multiply-shift hashing, its factor is odd and
 * nobody's choice). */
static inline uint64_t jfr_hash_high(uint64_t v)
{
    return v * (jfr_hash_seed | 1);
}

static inline uint32_t jfr_hash(uint64_t v)
{
    unsigned __int128 m = (unsigned __int128)(v ^ jfr_hash_seed) * UINT64_C(0x9e3779b97f4a7c15);
    uint64_t folded = (uint64_t)m ^ (uint64_t)(m >> 64);
    return (uint32_t)(folded ^ folded >> 32);
}
