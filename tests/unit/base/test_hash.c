/* Hashing that nobody outside can steer. */
#include "base/hash.h"

#include <stdlib.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "base/map.h"
#include "base/mem.h"
#include "test.h"

enum { LONGEST = 70000 };

static uint8_t *ramp(size_t n)
{
    uint8_t *p = xmalloc(n + 1);
    for (size_t i = 0; i < n; i++)
        p[i] = (uint8_t)(i * 7 + i / 251);
    return p;
}

static void equal_bytes_hash_alike_wherever_they_lie(void)
{
    uint8_t *a = ramp(LONGEST), *b = xmalloc(LONGEST + 1);
    memcpy(b + 1, a, LONGEST);
    static const size_t sizes[] = {0, 1, 3, 4, 7, 8, 15, 16, 17, 255, 1023, 1024, 1025, 65535, 65536, 65537, LONGEST};
    for (size_t i = 0; i < sizeof sizes / sizeof sizes[0]; i++)
        CHECK(hash_bytes(a, sizes[i]) == hash_bytes(b + 1, sizes[i]));
    CHECK(hash_bytes(NULL, 0) == hash_bytes(a, 0));
    free(a);
    free(b);
}

/* Each byte of texts of every kind of length counts, and so does their number. */
static void every_byte_and_the_length_count(void)
{
    uint8_t *p = ramp(LONGEST);
    static const size_t sizes[] = {1,  2,  3,   4,    5,    8,    9,    15,    16,     17,
                                   31, 33, 200, 1024, 1025, 2048, 5000, 65537, LONGEST};
    for (size_t i = 0; i < sizeof sizes / sizeof sizes[0]; i++) {
        const size_t n = sizes[i], step = n > 300 ? n / 100 : 1;
        const uint64_t before = hash_bytes(p, n);
        for (size_t at = 0; at < n; at += step) {
            p[at] ^= 0x80;
            CHECK(hash_bytes(p, n) != before);
            p[at] ^= 0x80;
        }
        p[n - 1] ^= 1;
        CHECK(hash_bytes(p, n) != before);
        p[n - 1] ^= 1;
        CHECK(hash_bytes(p, n - 1) != before);
    }
    uint8_t zeros[64] = {0};
    for (size_t n = 0; n < sizeof zeros; n++)
        for (size_t m = n + 1; m <= sizeof zeros; m++)
            CHECK(hash_bytes(zeros, n) != hash_bytes(zeros, m));
    free(p);
}

static uint64_t hash_in_another_process(const char *self)
{
    char command[4096], text[32] = "";
    snprintf(command, sizeof command, "'%s' print", self);
    FILE *f = popen(command, "r");
    CHECK(f && fgets(text, sizeof text, f));
    if (f)
        CHECK_INT(pclose(f), 0);
    return strtoull(text, NULL, 16);
}

static const char *self;
static void another_process_hashes_otherwise(void)
{
    CHECK(hash_in_another_process(self) != hash_bytes("smolder", 7));
    CHECK(hash_in_another_process(self) != hash_in_another_process(self));
}

/* How many of the keys fall into the fullest of as many buckets; about 8 for a drawn function and these numbers. */
static unsigned fullest(const uint64_t *keys, size_t n, unsigned bits)
{
    unsigned *count = xcalloc((size_t)1 << bits, sizeof *count), most = 0;
    for (size_t i = 0; i < n; i++) {
        unsigned *c = &count[hash_number(keys[i]) & (((uint32_t)1 << bits) - 1)];
        most = ++*c > most ? *c : most;
    }
    free(count);
    return most;
}

static void numbers_that_differ_in_few_bits_are_spread(void)
{
    enum { BITS = 16, N = 1 << BITS };
    uint64_t *keys = xcalloc(N, sizeof *keys);
    for (unsigned shift = 0; shift <= 64 - BITS; shift += 4) {
        for (uint64_t i = 0; i < N; i++)
            keys[i] = i << shift;
        CHECK(fullest(keys, N, BITS) < 40);
    }
    free(keys);
}

static double seconds(void)
{
    struct timespec ts;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &ts);
    return (double)ts.tv_sec + (double)ts.tv_nsec / 1e9;
}

/* What one multiplication by a known constant has in one bucket: multiples of its inverse, shifted. */
static void numbers_made_for_a_known_function_take_no_longer(void)
{
    enum { N = 50000 };
    const uint64_t known = UINT64_C(0x9e3779b97f4a7c15);
    uint64_t inverse = known;
    for (int i = 0; i < 6; i++)
        inverse *= 2 - known * inverse;
    cleanup_u64map struct u64map m = U64MAP_INIT;
    const double start = seconds();
    for (uint64_t i = 0; i < N; i++)
        u64map_put(&m, ((i << 32) | i) * inverse, i); /* high and low half alike: nothing is left of them when folded */
    CHECK_INT(m.len, N);
    CHECK(seconds() - start < 1);
}

int main(int argc, char **argv)
{
    if (argc > 1) {
        printf("%llx\n", (unsigned long long)hash_bytes("smolder", 7));
        return 0;
    }
    self = argv[0];
    RUN(equal_bytes_hash_alike_wherever_they_lie);
    RUN(every_byte_and_the_length_count);
    RUN(another_process_hashes_otherwise);
    RUN(numbers_that_differ_in_few_bits_are_spread);
    RUN(numbers_made_for_a_known_function_take_no_longer);
    return REPORT();
}
