/* gzip, whole buffers (RFC 1952). Thread: any. */
#pragma once

#include "base/buf.h"
#include "base/err.h"
#include "base/str.h"

/* Begins as gzip does. */
static inline bool gzip_is(struct str s)
{
    return s.n >= 2 && (unsigned char)s.p[0] == 0x1f && (unsigned char)s.p[1] == 0x8b;
}
/* Appends the plain bytes of every member of `in`. out->max bounds the result: -EMSGSIZE beyond it. -EBADMSG: not gzip,
 * or damaged. */
must_check int gzip_inflate(struct str in, struct buf *out, struct err *err);
/* Appends one member. `level` 1 (fast) to 12. -ENOSPC when out->max is in the way. */
must_check int gzip_deflate(struct str in, int level, struct buf *out);

/* The same for several in a row: a compressor is a few hundred kilobytes that are set up and given back. */
struct libdeflate_compressor;
struct gzip_packer {
    struct libdeflate_compressor *compressor; /* owned; NULL until the first use */
    int level;
};
#define GZIP_PACKER_INIT(level_) ((struct gzip_packer){.level = (level_)})

must_check int gzip_pack(struct gzip_packer *p, struct str in, struct buf *out);
void gzip_packer_done(struct gzip_packer *p);
#define cleanup_gzip_packer __attribute__((cleanup(gzip_packer_done)))
