/* Keyed hash functions for tables with untrusted keys: bytes and numbers of recordings, profiles, process names.
 *
 * With a known function, an attacker can place all keys in one bucket, which makes every look-up linear. These
 * functions are keyed with random bytes from the kernel, read once per process and never disclosed. The key is part of
 * the hash of the bytes themselves: a seed that is mixed in afterwards does not separate keys that already collide.
 *
 * XXH3 with a seed is as fast but not sufficient: the seed is added to known constants, so that inputs which collide
 * for most seeds can be constructed (pairs of 32 bytes collide for one seed in 1,400; with random secrets for one in
 * 2^27; xxHash issue 1127). Here the collision probability is proven for any two keys chosen without knowledge of the
 * key:
 *
 * - bytes: NH of UMAC with 64-bit words (Black, Halevi, Krawczyk, Krovetz, Rogaway 1999; RFC 4418), at most 2^-64 per
 *   level, where a level reduces 1,024 bytes to 16; then the rest and the length by a strongly universal function to 64
 *   bits (multilinear, Lemire and Kaser 2014). Any 32 bits of the result collide with 2^-32, like random ones.
 * - numbers: multiply-shift (Dietzfelbinger et al. 1997), 2/m for m buckets. With n numbers in an open-addressing
 *   table, a look-up costs log n for the worst known sets, evenly spaced ones, and the square root of n for any set
 *   (Pătraşcu and Thorup 2010).
 *
 * A hash is valid within this process only: never store or send it.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

extern uint64_t hash_number_key[2]; /* odd; set before main(), constant since */

/* Of any bytes: all 64 bits are equally good. Also called str_hash(). */
uint64_t hash_bytes(const void *p, size_t n);

/* One multiplication, for inner loops. Only the high bits are good: take as many as are needed from the top. */
static inline uint64_t hash_number_high(uint64_t v)
{
    return v * hash_number_key[0];
}

/* All bits are good. */
static inline uint32_t hash_number(uint64_t v)
{
    v = hash_number_high(v);
    return (uint32_t)((v ^ v >> 32) * hash_number_key[1] >> 32);
}
