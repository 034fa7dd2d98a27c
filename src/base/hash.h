/* Hashing for tables whose keys strangers choose: bytes and numbers of recordings, profiles, names of processes.
 *
 * With a function that everybody knows, a hostile file puts all its keys into one bucket and makes every look-up a walk. These are keyed with
 * random bytes of the kernel, fetched once per process and never shown. The key goes into the hash of the bytes themselves: what has
 * collided once is not told apart by any seed that is added afterwards.
 *
 * Why not XXH3 with a seed, which is as fast: its seed is added to constants that everybody knows, so that bytes made to collide for
 * most seeds can be had (pairs of 32 bytes collide for one seed in 1,400; with random secrets for one in 2^27; xxHash issue 1127). Here
 * the odds are proven for any two keys, however they were chosen by who does not know the key:
 *
 * - bytes: NH of UMAC with words of 64 bits (Black, Halevi, Krawczyk, Krovetz, Rogaway 1999; RFC 4418), at most 2^-64 per level, and a level
 *   takes 1,024 bytes to 16; then what is left and the length by a strongly universal function to 64 bits (multilinear, Lemire and Kaser
 *   2014). So any 32 bits of it collide with 2^-32, as if they were drawn.
 * - numbers: multiply-shift (Dietzfelbinger et al. 1997), 2/m for m buckets. Where n numbers go into a table of open addresses, that is a
 *   logarithm of n for a look-up with the worst sets known, evenly spaced ones, and the root of n with any (Pătraşcu and Thorup 2010).
 *
 * A hash is good for this process: never to be stored or sent.
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
