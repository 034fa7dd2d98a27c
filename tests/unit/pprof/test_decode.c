#include "pprof/decode.h"

#include <errno.h>
#include <stdlib.h>

#include "base/gzip.h"
#include "pprof/encode.h"
#include "pprof/sample_profile.h"
#include "pprof/text.h"
#include "test.h"

enum { MAX = 1 << 20 };

static void encoded(struct buf *b)
{
    cleanup_symbols struct symbols s;
    cleanup_profile struct profile p;
    symbols_init(&s, MAX);
    sample_profile(&p, &s);
    pprof_encode(&p, b);
}

static int decode(const void *p, size_t n, size_t max, size_t symbols_max, struct buf *text, struct err *err)
{
    cleanup_symbols struct symbols s;
    cleanup_profile struct profile profile;
    symbols_init(&s, symbols_max);
    profile_init(&profile, &s);
    int code = pprof_decode(p, n, max, &s, &profile, err);
    if (code == 0 && text)
        pprof_text(&profile, PPROF_TEXT_REFERENCE, text);
    return code;
}

static void gzip_and_plain_bytes_are_read(void)
{
    struct buf b = BUF_INIT(MAX), packed = BUF_INIT(MAX), text = BUF_INIT(MAX), packed_text = BUF_INIT(MAX);
    struct err err = {0};
    encoded(&b);
    CHECK_INT(gzip_deflate(buf_slice(&b), 1, &packed), 0);
    CHECK_INT(decode(b.p, b.len, MAX, MAX, &text, &err), 0);
    CHECK_INT(decode(packed.p, packed.len, MAX, MAX, &packed_text, &err), 0);
    CHECK_HAS(buf_cstr(&text), "app.Main.main:10;app.Main.work:20 [2 300]");
    CHECK_STR(buf_cstr(&packed_text), buf_cstr(&text));
    CHECK_INT(decode(packed.p, packed.len, 10, MAX, NULL, &err), -EMSGSIZE);
    CHECK_INT(decode(b.p, b.len, 10, MAX, NULL, &err), -EMSGSIZE);
    CHECK_INT(decode(b.p, b.len, MAX, 200, NULL, &err), -E2BIG);
    buf_done(&b);
    buf_done(&packed);
    buf_done(&text);
    buf_done(&packed_text);
}

/* No cut is read beyond its end; most are noticed. */
static void a_cut_profile_is_no_reason_to_crash(void)
{
    struct buf b = BUF_INIT(MAX);
    struct err err = {0};
    unsigned refused = 0;
    encoded(&b);
    for (size_t n = 0; n < b.len; n++) {
        uint8_t *exact = malloc(n + 1);
        memcpy(exact, b.p, n);
        refused += decode(exact, n, MAX, MAX, NULL, &err) == -EBADMSG;
        free(exact);
    }
    CHECK(refused > b.len / 2);
    buf_done(&b);
}

static void check_damage(const char *bytes, size_t n, const char *why)
{
    struct err err = {0};
    CHECK_INT(decode(bytes, n, MAX, MAX, NULL, &err), -EBADMSG);
    CHECK_HAS(err.text, why);
}
#define CHECK_DAMAGE(bytes, why) check_damage(bytes, sizeof(bytes) - 1, why)

static void ids_that_name_nothing_are_errors(void)
{
    CHECK_DAMAGE("", "no sample type");
    CHECK_DAMAGE("\x0a\2\x08\5", "value type");                         /* string 5 */
    CHECK_DAMAGE("\x32\0\x0a\0\x12\4\x0a\1\7\x10", "sample");           /* location 7 */
    CHECK_DAMAGE("\x32\0\x22\6\x08\1\x22\2\x08\3", "unknown function"); /* function 3 */
    CHECK_DAMAGE("\x32\0\x0a\0\x12\4\x12\2\1\2", "more values");
    CHECK_DAMAGE("\x32\0\x2a\2\x10\0", "invalid function"); /* id 0 */
}

int main(void)
{
    RUN(gzip_and_plain_bytes_are_read);
    RUN(a_cut_profile_is_no_reason_to_crash);
    RUN(ids_that_name_nothing_are_errors);
    return REPORT();
}
