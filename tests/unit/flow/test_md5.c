#include "flow/md5.h"
#include "test.h"

static void check(struct str text, const char *want)
{
    uint8_t digest[MD5_SIZE];
    char hex[2 * MD5_SIZE + 1];
    md5(text, digest);
    for (size_t i = 0; i < MD5_SIZE; i++)
        snprintf(hex + 2 * i, 3, "%02x", digest[i]);
    CHECK_STR(hex, want);
}

/* RFC 1321 appendix A.5. */
static void digests_the_texts_of_the_rfc(void)
{
    check(STR(""), "d41d8cd98f00b204e9800998ecf8427e");
    check(STR("abc"), "900150983cd24fb0d6963f7d28e17f72");
    check(STR("12345678901234567890123456789012345678901234567890123456789012345678901234567890"),
          "57edf4a22be3c955ac49da2e2107b67a");
}

static void pads_right_around_the_block_size(void)
{
    static const char a[120] = {[0 ... 119] = 'a'};
    check((struct str){a, 55}, "ef1772b6dff9a122358552954ad0df65");
    check((struct str){a, 56}, "3b0c8ac703f828b04c6c197006d17218");
    check((struct str){a, 63}, "b06521f39153d618550606be297466d5");
    check((struct str){a, 64}, "014842d480b571495a4a0363793f7367");
    check((struct str){a, 120}, "5f61c0ccad4cac44c75ff505e1f1e537");
}

int main(void)
{
    RUN(digests_the_texts_of_the_rfc);
    RUN(pads_right_around_the_block_size);
    return REPORT();
}
