#include "jvm/attach/sha1.h"

#include <stdlib.h>

#include "test.h"

static void the_published_examples(void)
{
    char hex[SHA1_HEX_SIZE];
    sha1_hex("", 0, hex);
    CHECK_STR(hex, "da39a3ee5e6b4b0d3255bfef95601890afd80709");
    sha1_hex("abc", 3, hex);
    CHECK_STR(hex, "a9993e364706816aba3e25717850c26c9cd0d89d");
    sha1_hex("abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq", 56, hex);
    CHECK_STR(hex, "84983e441c3bd26ebaae4aa1f95129e5e54670f1");
}

static void a_million_letters(void)
{
    char hex[SHA1_HEX_SIZE], *a = malloc(1000000);
    memset(a, 'a', 1000000);
    sha1_hex(a, 1000000, hex);
    CHECK_STR(hex, "34aa973cd4c4daa4f61eeb2bdbad27316534016f");
    free(a);
}

int main(void)
{
    RUN(the_published_examples);
    RUN(a_million_letters);
    return REPORT();
}
