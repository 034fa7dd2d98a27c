#include "base/gzip.h"

#include <errno.h>
#include <libdeflate.h>

enum { MIN_MEMBER = 18, FIRST_GUESS = 4 };

/* The trailer of the last member says its length modulo 2^32 (RFC 1952 §2.3.1): a hint, never trusted beyond the
 * cap. */
static size_t guess_size(struct str in, size_t max)
{
    const uint8_t *t = (const uint8_t *)in.p + in.n - 4;
    size_t said = t[0] | (size_t)t[1] << 8 | (size_t)t[2] << 16 | (size_t)t[3] << 24;
    /* Deflate cannot shrink by more than a factor of about 1032. */
    size_t possible = in.n > max / 1032 ? max : in.n * 1032;
    if (said == 0 || said > possible)
        said = in.n * FIRST_GUESS;
    return said < max ? said : max;
}

int gzip_inflate(struct str in, struct buf *out, struct err *err)
{
    if (in.n < MIN_MEMBER)
        return err_set(err, -EBADMSG, "gzip: invalid header");
    struct libdeflate_decompressor *d = libdeflate_alloc_decompressor();
    if (!d)
        return err_set(err, -ENOMEM, "gzip: out of memory");
    size_t room = guess_size(in, out->max - out->len);
    int code = 0;
    while (in.n) {
        size_t left = out->max - out->len;
        room = room < left ? room : left;
        uint8_t *to = buf_reserve(out, room);
        if (!to) {
            code = err_set(err, -ENOMEM, "gzip: out of memory");
            break;
        }
        size_t used = 0, made = 0;
        enum libdeflate_result r = libdeflate_gzip_decompress_ex(d, in.p, in.n, to, room, &used, &made);
        if (r == LIBDEFLATE_SUCCESS) {
            out->len += made;
            out->p[out->len] = '\0';
            in.p += used;
            in.n -= used;
        } else if (r == LIBDEFLATE_INSUFFICIENT_SPACE && room < left) {
            room = room > left / 2 ? left : room * 2;
        } else if (r == LIBDEFLATE_INSUFFICIENT_SPACE) {
            code = err_set(err, -EMSGSIZE, "gzip: more than %zu bytes", out->max);
            break;
        } else {
            code = err_set(err, -EBADMSG, "gzip: invalid header or data");
            break;
        }
    }
    libdeflate_free_decompressor(d);
    return code;
}

int gzip_pack(struct gzip_packer *p, struct str in, struct buf *out)
{
    if (!p->compressor)
        p->compressor = libdeflate_alloc_compressor(p->level);
    if (!p->compressor)
        return -ENOMEM;
    size_t bound = libdeflate_gzip_compress_bound(p->compressor, in.n);
    uint8_t *to = buf_reserve(out, bound);
    size_t n = to ? libdeflate_gzip_compress(p->compressor, in.p, in.n, to, bound) : 0;
    if (!n)
        return -ENOSPC;
    out->len += n;
    return 0;
}

void gzip_packer_done(struct gzip_packer *p)
{
    if (p->compressor)
        libdeflate_free_compressor(p->compressor);
    p->compressor = NULL;
}

int gzip_deflate(struct str in, int level, struct buf *out)
{
    cleanup_gzip_packer struct gzip_packer p = GZIP_PACKER_INIT(level);
    return gzip_pack(&p, in, out);
}

uint32_t gzip_crc(uint32_t crc, struct str bytes)
{
    return libdeflate_crc32(crc, bytes.p, bytes.n);
}
