#define XXH_INLINE_ALL
#include "store/block_blob.h"

#include <errno.h>
#include <xxhash.h>

enum { BLOB_VERSION = 1, BLOB_SUM_AT = 4, BLOB_METHOD_AT = BLOB_SUM_AT + 8, BLOB_HEAD };
enum blob_method { BLOB_STORED, BLOB_DEFLATED };

static void blob_put_checksum(uint8_t *blob, size_t n)
{
    uint64_t sum = XXH3_64bits(blob + BLOB_METHOD_AT, n - BLOB_METHOD_AT);
    for (size_t i = BLOB_SUM_AT; i < BLOB_METHOD_AT; i++, sum >>= 8)
        blob[i] = (uint8_t)sum;
}

static bool blob_checksum_fits(const uint8_t *blob, size_t n)
{
    uint64_t sum = XXH3_64bits(blob + BLOB_METHOD_AT, n - BLOB_METHOD_AT);
    bool fits = true;
    for (size_t i = BLOB_SUM_AT; i < BLOB_METHOD_AT; i++, sum >>= 8)
        fits = fits && blob[i] == (uint8_t)sum;
    return fits;
}

int block_blob_put(enum blob_kind kind, struct str plain, struct gzip_packer *packer, struct buf *out)
{
    const uint8_t head[BLOB_HEAD] = {'S', 'B', (uint8_t)kind, BLOB_VERSION, [BLOB_METHOD_AT] = BLOB_DEFLATED};
    const size_t at = out->len;
    if (plain.n > BLOCK_PLAIN_MAX)
        return -EMSGSIZE;
    buf_append(out, head, sizeof head);
    const int code = gzip_pack(packer, plain, out);
    if (code < 0)
        return code;
    if (out->len - at - BLOB_HEAD >= plain.n) {
        out->len = at + BLOB_HEAD;
        out->p[at + BLOB_METHOD_AT] = BLOB_STORED;
        buf_str(out, plain);
    }
    blob_put_checksum(out->p + at, out->len - at);
    return 0;
}

static int blob_bad(struct err *err, const char *what)
{
    return err_set(err, -EBADMSG, "stored block: %s", what);
}

static int blob_check(enum blob_kind kind, struct str blob, struct err *err)
{
    const uint8_t *p = (const uint8_t *)blob.p;
    if (blob.n < BLOB_HEAD || p[0] != 'S' || p[1] != 'B' || p[2] != kind)
        return blob_bad(err, "not what it should be");
    if (p[3] != BLOB_VERSION)
        return blob_bad(err, "of another version");
    if (!blob_checksum_fits(p, blob.n))
        return blob_bad(err, "damaged");
    return 0;
}

bool block_blob_intact(enum blob_kind kind, struct str blob)
{
    struct err err;
    return blob_check(kind, blob, &err) == 0;
}

int block_blob_open(enum blob_kind kind, struct str blob, struct buf *room, struct str *ret, struct err *err)
{
    const uint8_t *p = (const uint8_t *)blob.p;
    int code = blob_check(kind, blob, err);
    if (code < 0)
        return code;
    const struct str content = {blob.p + BLOB_HEAD, blob.n - BLOB_HEAD};
    if (p[BLOB_METHOD_AT] == BLOB_STORED) {
        *ret = content;
        return 0;
    }
    if (p[BLOB_METHOD_AT] != BLOB_DEFLATED)
        return blob_bad(err, "of another method");
    room->max = BLOCK_PLAIN_MAX;
    code = gzip_inflate(content, room, err);
    if (code < 0)
        return code == -ENOMEM ? code : blob_bad(err, "invalid data");
    *ret = buf_slice(room);
    return 0;
}
