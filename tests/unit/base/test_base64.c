#include "base/base64.h"

#include <errno.h>
#include <stdlib.h>

#include "base/cleanup.h"
#include "base/mem.h"
#include "test.h"

static void check_both_ways(struct str plain, const char *coded)
{
    cleanup_free char *got = base64_encode(plain);
    cleanup_buf struct buf back = BUF_INIT(1 << 16);
    struct err err = {0};
    CHECK_STR(got, coded);
    CHECK_INT(base64_decode(str_of(coded), base64_standard, &back, &err), 0);
    CHECK(str_eq(buf_slice(&back), plain));
}

static void check_bad(struct str coded, const char *alphabet, size_t at)
{
    cleanup_buf struct buf out = BUF_INIT(1 << 16);
    struct err err = {0};
    char want[64];
    snprintf(want, sizeof want, "illegal base64 data at input byte %zu", at);
    CHECK_INT(base64_decode(coded, alphabet, &out, &err), -EINVAL);
    CHECK_STR(err.text, want);
}

static void the_vectors_of_the_standard(void) /* RFC 4648 §10 */
{
    check_both_ways(STR(""), "");
    check_both_ways(STR("f"), "Zg==");
    check_both_ways(STR("fo"), "Zm8=");
    check_both_ways(STR("foo"), "Zm9v");
    check_both_ways(STR("foob"), "Zm9vYg==");
    check_both_ways(STR("fooba"), "Zm9vYmE=");
    check_both_ways(STR("foobar"), "Zm9vYmFy");
    check_both_ways(STR("\xff\xfe\xfd\0"), "//79AA==");
}

static void every_byte_survives_in_every_place(void)
{
    for (size_t n = 1; n <= 6; n++)
        for (unsigned byte = 0; byte < 256; byte++) {
            char plain[6];
            memset(plain, (int)byte, sizeof plain);
            cleanup_free char *coded = base64_encode((struct str){plain, n});
            cleanup_buf struct buf back = BUF_INIT(16);
            struct err err = {0};
            if (base64_decode(str_of(coded), base64_standard, &back, &err) < 0 || back.len != n ||
                memcmp(back.p, plain, n) != 0)
                FAIL_("%zu times byte %u comes back as something else: %s", n, byte, coded);
        }
}

static void alphabets_are_not_mixed(void)
{
    cleanup_buf struct buf out = BUF_INIT(16), coded = BUF_INIT(16);
    struct err err = {0};
    base64_write(STR("\xff\xfe"), base64_url, &coded);
    CHECK_STR(buf_cstr(&coded), "__4=");
    CHECK_INT(base64_decode(STR("__4="), base64_url, &out, &err), 0);
    CHECK(str_is(buf_slice(&out), "\xff\xfe"));
    check_bad(STR("__4="), base64_standard, 0);
    check_bad(STR("//4="), base64_url, 0);
}

static void line_breaks_are_skipped_and_nothing_else(void)
{
    cleanup_buf struct buf out = BUF_INIT(16);
    struct err err = {0};
    CHECK_INT(base64_decode(STR("\r\nZ\nm9\r\nvYg=\n=\n"), base64_standard, &out, &err), 0);
    CHECK_STR(buf_cstr(&out), "foob");
    check_bad(STR("Zm 9v"), base64_standard, 2);
    check_bad(STR("Zm9v\tYg=="), base64_standard, 4);
    check_bad(STR("Zm\0v"), base64_standard, 2);
    check_bad(STR("Zm\xff\xff"), base64_standard, 2);
}

static void padding_has_its_place(void)
{
    check_bad(STR("="), base64_standard, 0);
    check_bad(STR("Z==="), base64_standard, 1);
    check_bad(STR("Zg=="
                  "Zg=="),
              base64_standard, 4);
    check_bad(STR("Zm8=="), base64_standard, 4);
    check_bad(STR("Z"), base64_standard, 0);
    check_bad(STR("Zm9vZg"), base64_standard, 4);
    check_bad(STR("Zg="), base64_standard, 3);
}

static void a_full_buffer_fails_and_holds_no_more(void)
{
    cleanup_buf struct buf out = BUF_INIT(4);
    struct err err = {0};
    CHECK_INT(base64_decode(STR("Zm9vYmFy"), base64_standard, &out, &err), 0);
    CHECK(!buf_ok(&out));
    CHECK(out.len <= 4);
    cleanup_buf struct buf coded = BUF_INIT(5);
    base64_write(STR("foobar"), base64_standard, &coded);
    CHECK(!buf_ok(&coded));
    CHECK(coded.len <= 5);
}

int main(void)
{
    RUN(the_vectors_of_the_standard);
    RUN(every_byte_survives_in_every_place);
    RUN(alphabets_are_not_mixed);
    RUN(line_breaks_are_skipped_and_nothing_else);
    RUN(padding_has_its_place);
    RUN(a_full_buffer_fails_and_holds_no_more);
    return REPORT();
}
