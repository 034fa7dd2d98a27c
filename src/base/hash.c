#include "base/hash.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/auxv.h>
#include <sys/random.h>

typedef unsigned __int128 u128;

/* A level takes BLOCK bytes to PAIR: all together 256 MiB, which is more than anything here has. */
enum { PAIR = 16, BLOCK = 1024, LEVELS = 4, BLOCK_WORDS = BLOCK / 8, FANOUT = BLOCK / PAIR };

/* Of the last step: words with 128 bits of key each, and 128 more. */
enum { LAST_LOW, LAST_HIGH, LAST_LENGTH, LAST_PLUS, LAST_KEYS };

uint64_t hash_number_key[2];
static struct {
    uint64_t level[LEVELS][BLOCK_WORDS];
    uint64_t last[LAST_KEYS][2];
    uint64_t number[2];
} key;

/* Where the kernel has no random bytes yet, as early in a boot, it still gave this process sixteen: to be stretched. */
static void hash_stretch(const uint8_t *seed, uint64_t *out, size_t n)
{
    uint64_t a, b;
    memcpy(&a, seed, sizeof a);
    memcpy(&b, seed + sizeof a, sizeof b);
    for (size_t i = 0; i < n; i++) { /* splitmix64 (Steele, Lea, Flood 2014), one beside the other */
        uint64_t z = a += UINT64_C(0x9e3779b97f4a7c15);
        z = (z ^ z >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
        z = (z ^ z >> 27) * UINT64_C(0x94d049bb133111eb);
        b = (b ^ z) * UINT64_C(0xd1342543de82ef95) + 1;
        out[i] = z ^ z >> 31 ^ b << 32 ^ b >> 32;
    }
}

static void hash_fill(void *to, size_t n)
{
    const uint8_t *given = (const uint8_t *)getauxval(AT_RANDOM); /* getauxval(3): the address of 16 bytes */
    size_t have = 0;
    while (have < n) {
        ssize_t got = getrandom((uint8_t *)to + have, n - have, GRND_NONBLOCK);
        if (got <= 0)
            break;
        have += (size_t)got;
    }
    if (have == n)
        return;
    if (!given) {
        fputs("smolder: getrandom failed\n", stderr);
        abort();
    }
    hash_stretch(given, to, n / sizeof(uint64_t));
}

__attribute__((constructor)) static void take_keys(void)
{
    hash_fill(&key, sizeof key);
    for (int i = 0; i < 2; i++)
        hash_number_key[i] = key.number[i] | 1;
}

static inline uint64_t hash_load64(const uint8_t *p)
{
    uint64_t v;
    memcpy(&v, p, sizeof v);
    return v;
}

static inline uint64_t hash_load32(const uint8_t *p)
{
    uint32_t v;
    memcpy(&v, p, sizeof v);
    return v;
}

static inline u128 hash_product(uint64_t a, uint64_t b, const uint64_t *k)
{
    return (u128)(a + k[0]) * (b + k[1]);
}

/* Less than a pair, as two words; with the length it is clear which bytes they were. */
static inline u128 short_sum(const uint8_t *p, size_t n, const uint64_t *k)
{
    if (n >= 8)
        return hash_product(hash_load64(p), hash_load64(p + n - 8), k);
    if (n >= 4)
        return hash_product(hash_load32(p), hash_load32(p + n - 4), k);
    return n ? hash_product(p[0] | (uint64_t)p[n / 2] << 8, p[n - 1], k) : hash_product(0, 0, k);
}

/* NH of at most a block. The last pair overlaps the one before where the length is no multiple of it. */
static inline u128 block_sum(const uint8_t *p, size_t n, const uint64_t *k)
{
    if (n < PAIR)
        return short_sum(p, n, k);
    const uint8_t *const last = p + n - PAIR;
    u128 sum = 0, other = 0; /* two: a carry waits for the one before */
    for (; last - p > PAIR; p += 2 * PAIR, k += 4) {
        sum += hash_product(hash_load64(p), hash_load64(p + 8), k);
        other += hash_product(hash_load64(p + 16), hash_load64(p + 24), k + 2);
    }
    if (p < last) {
        sum += hash_product(hash_load64(p), hash_load64(p + 8), k);
        k += 2;
    }
    sum += other;
    return sum + hash_product(hash_load64(last), hash_load64(last + 8), k);
}

/* The sums of a level's blocks wait here until they are a block of the next one. */
enum { TOP = LEVELS - 2 };
struct tree {
    u128 sums[TOP + 1][FANOUT];
    unsigned counts[TOP + 1];
};

static u128 tree_sum(const struct tree *t, unsigned level)
{
    return block_sum((const uint8_t *)t->sums[level], t->counts[level] * sizeof(u128), key.level[level + 1]);
}

static void tree_add(struct tree *t, unsigned level, u128 sum)
{
    if (t->counts[level] == FANOUT) {
        const u128 full = tree_sum(t, level);
        t->counts[level] = 0;
        tree_add(t, level < TOP ? level + 1 : TOP, full);
    }
    t->sums[level][t->counts[level]++] = sum;
}

static u128 long_sum(const uint8_t *p, size_t n)
{
    struct tree t;
    memset(t.counts, 0, sizeof t.counts);
    for (size_t take; n > 0; p += take, n -= take) {
        take = n < BLOCK ? n : BLOCK;
        tree_add(&t, 0, block_sum(p, take, key.level[0]));
    }
    for (unsigned level = 0; level < TOP && t.counts[level + 1]; level++)
        tree_add(&t, level + 1, tree_sum(&t, level));
    unsigned last = TOP;
    while (t.counts[last] == 0)
        last--;
    return tree_sum(&t, last);
}

static inline u128 last_product(uint64_t v, unsigned which)
{
    const uint64_t *k = key.last[which];
    return (u128)v * k[0] + ((u128)(v * k[1]) << 64);
}

uint64_t hash_bytes(const void *p, size_t n)
{
    const u128 sum = n <= BLOCK ? block_sum(p, n, key.level[0]) : long_sum(p, n);
    const u128 plus = (u128)key.last[LAST_PLUS][1] << 64 | key.last[LAST_PLUS][0];
    const u128 all = last_product((uint64_t)sum, LAST_LOW) + last_product((uint64_t)(sum >> 64), LAST_HIGH) +
                     last_product(n, LAST_LENGTH) + plus;
    const uint64_t h = (uint64_t)(all >> 64);
    return h ^ h >> 32;
}
