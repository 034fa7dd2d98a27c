#include "base/sha256.h"

#include <stdlib.h>

#include "base/cleanup.h"
#include "base/mem.h"
#include "test.h"

static void check(struct str text, const char *want)
{
    uint8_t hash[SHA256_SIZE];
    char got[2 * SHA256_SIZE + 1];
    sha256(text, hash);
    for (size_t i = 0; i < sizeof hash; i++)
        snprintf(got + 2 * i, 3, "%02x", hash[i]);
    CHECK_STR(got, want);
}

/* FIPS 180-4's examples, and what sha256sum(1) says of the rest. */
static void known_texts_have_their_hashes(void)
{
    check(STR(""), "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
    check((struct str){NULL, 0}, "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
    check(STR("abc"), "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
    check(STR("abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq"),
          "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1");
}

static void a_million_letters(void)
{
    enum { MILLION = 1000000 };
    cleanup_free char *text = xmalloc(MILLION);
    memset(text, 'a', MILLION);
    check((struct str){text, MILLION}, "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0");
}

/* The length goes into the last block if it fits: 55 bytes are the last that leave room for it. */
static void lengths_around_a_block(void)
{
    static const struct {
        size_t n;
        const char *hash;
    } lengths[] = {
        {55, "9f4390f8d30c2dd92ec9f095b65e2b9ae9b0a925a5258e241c9f1e910f734318"},
        {56, "b35439a4ac6f0948b6d6f9e3c6af0f5f590ce20f1bde7090ef7970686ec6738a"},
        {63, "7d3e74a05d7db15bce4ad9ec0658ea98e3f06eeecf16b4c6fff2da457ddc2f34"},
        {64, "ffe054fe7ae0cb6dc65c3af9b61d5209f439851db43d0ba5997337df154668eb"},
        {65, "635361c48bb9eab14198e76ea8ab7f1a41685d6ad62aa9146d301d4f17eb0ae0"},
    };
    char text[65];
    memset(text, 'a', sizeof text);
    for (size_t i = 0; i < ARRAY_LEN(lengths); i++)
        check((struct str){text, lengths[i].n}, lengths[i].hash);
}

int main(void)
{
    RUN(known_texts_have_their_hashes);
    RUN(a_million_letters);
    RUN(lengths_around_a_block);
    return REPORT();
}
