#include "jfr/hash.h"

#include <string.h>
#include <sys/auxv.h>

uint64_t jfr_hash_seed;

__attribute__((constructor)) static void take_seed(void)
{
    const void *random = (const void *)getauxval(AT_RANDOM);
    if (random)
        memcpy(&jfr_hash_seed, random, sizeof jfr_hash_seed);
}
