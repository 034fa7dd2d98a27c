#include "base/gzip.h"

#include <errno.h>

#include "test.h"

static void inflates_within_bounds_only(void)
{
    char zeros[10000] = {0};
    cleanup_buf struct buf packed = BUF_INIT(1 << 20), twice = BUF_INIT(1 << 20);
    CHECK_INT(gzip_deflate((struct str){zeros, sizeof zeros}, 6, &packed), 0);
    buf_append(&twice, packed.p, packed.len);
    buf_append(&twice, packed.p, packed.len);
    struct err err = {0};
    cleanup_buf struct buf both = BUF_INIT(2 * sizeof zeros), small = BUF_INIT(2 * sizeof zeros - 1);
    CHECK_INT(gzip_inflate(buf_slice(&twice), &both, &err), 0);
    CHECK_INT(both.len, 2 * sizeof zeros);
    CHECK_INT(gzip_inflate(buf_slice(&twice), &small, &err), -EMSGSIZE);
    cleanup_buf struct buf none = BUF_INIT(1000), cut = BUF_INIT(1 << 20);
    CHECK_INT(gzip_inflate(STR("this is not a gzip file at all"), &none, &err), -EBADMSG);
    CHECK_INT(gzip_inflate((struct str){(char *)packed.p, packed.len - 9}, &cut, &err), -EBADMSG);
}

static void checksums_continue(void)
{
    CHECK_INT(gzip_crc(0, STR("123456789")), 0xcbf43926); /* the check value of CRC-32/ISO-HDLC */
    CHECK_INT(gzip_crc(gzip_crc(0, STR("1234")), STR("56789")), 0xcbf43926);
}

int main(void)
{
    RUN(inflates_within_bounds_only);
    RUN(checksums_continue);
    return REPORT();
}
