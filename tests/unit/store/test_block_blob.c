#include "store/block_blob.h"

#include <errno.h>
#include <stdlib.h>

#include "base/cleanup.h"
#include "test.h"

enum { MAX = 1 << 20 };

static struct buf sealed(struct str plain)
{
    struct buf out = BUF_INIT(MAX);
    cleanup_gzip_packer struct gzip_packer packer = GZIP_PACKER_INIT(BLOCK_DEFLATE_LEVEL);
    CHECK_INT(block_blob_put(BLOCK_ROWS, plain, &packer, &out), 0);
    return out;
}

/* 0, and that the content is this; or the error. */
static int open_blob(enum blob_kind kind, struct str blob, struct str want)
{
    cleanup_buf struct buf room = BUF_INIT(MAX);
    struct str got;
    struct err err = {0};
    const int code = block_blob_open(kind, blob, &room, &got, &err);
    if (code == 0)
        CHECK(str_eq(got, want));
    return code;
}

static void content_comes_back_whether_it_was_deflated_or_not(void)
{
    char many[5000];
    memset(many, 'x', sizeof many);
    cleanup_buf struct buf small = sealed(STR("abc")), large = sealed((struct str){many, sizeof many}),
                           none = sealed(STR(""));
    CHECK(small.len < 20 && large.len < 100);
    CHECK_INT(open_blob(BLOCK_ROWS, buf_slice(&small), STR("abc")), 0);
    CHECK_INT(open_blob(BLOCK_ROWS, buf_slice(&large), (struct str){many, sizeof many}), 0);
    CHECK_INT(open_blob(BLOCK_ROWS, buf_slice(&none), STR("")), 0);
}

static void damage_anywhere_is_noticed(void)
{
    char many[300];
    memset(many, 'x', sizeof many);
    for (unsigned k = 0; k < 2; k++) {
        cleanup_buf struct buf blob = sealed(k ? (struct str){many, sizeof many} : STR("short"));
        for (size_t n = 0; n < blob.len; n++) {
            cleanup_free char *cut = malloc(n + 1);
            memcpy(cut, blob.p, n);
            CHECK_INT(open_blob(BLOCK_ROWS, (struct str){cut, n}, STR("")), -EBADMSG);
            for (unsigned bit = 0; bit < 8; bit++) {
                blob.p[n] ^= (uint8_t)(1u << bit);
                CHECK_INT(open_blob(BLOCK_ROWS, buf_slice(&blob), STR("")), -EBADMSG);
                blob.p[n] ^= (uint8_t)(1u << bit);
            }
        }
        CHECK_INT(open_blob(BLOCK_TREE, buf_slice(&blob), STR("")), -EBADMSG); /* another kind */
    }
}

static void numbers_come_back(void)
{
    static const uint64_t numbers[] = {0, 1, 127, 128, 16383, 16384, UINT32_MAX, 1ull << 55, 1ull << 56, UINT64_MAX};
    static const int64_t differences[] = {0, -1, 1, INT32_MIN, INT64_MAX, INT64_MIN};
    cleanup_buf struct buf out = BUF_INIT(MAX);
    for (size_t i = 0; i < ARRAY_LEN(numbers); i++)
        block_put_number(&out, numbers[i]);
    for (size_t i = 0; i < ARRAY_LEN(differences); i++)
        block_put_number(&out, block_zigzag(differences[i]));
    struct cursor c = cursor_of(out.p, out.len);
    for (size_t i = 0; i < ARRAY_LEN(numbers); i++)
        CHECK_INT(block_number(&c), numbers[i]);
    for (size_t i = 0; i < ARRAY_LEN(differences); i++)
        CHECK_INT(block_unzigzag(block_number(&c)), differences[i]);
    CHECK(!c.bad && cursor_left(&c) == 0);
    CHECK_INT(block_number(&c), 0);
    CHECK(c.bad);
}

static void what_does_not_fit_is_an_error(void)
{
    cleanup_gzip_packer struct gzip_packer packer = GZIP_PACKER_INIT(BLOCK_DEFLATE_LEVEL);
    cleanup_buf struct buf out = BUF_INIT(20);
    char text[100] = "not the same everywhere: 0123456789";
    CHECK_INT(block_blob_put(BLOCK_ROWS, (struct str){text, sizeof text}, &packer, &out), -ENOSPC);
    CHECK_INT(block_blob_put(BLOCK_ROWS, (struct str){text, (size_t)BLOCK_PLAIN_MAX + 1}, &packer, &out), -EMSGSIZE);
}

int main(void)
{
    RUN(content_comes_back_whether_it_was_deflated_or_not);
    RUN(damage_anywhere_is_noticed);
    RUN(numbers_come_back);
    RUN(what_does_not_fit_is_an_error);
    return REPORT();
}
