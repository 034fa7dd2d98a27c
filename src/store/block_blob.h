/* The envelope of what blocks are stored as: kind, version, checksum, and the content, deflated where that pays.
 *
 * Bytes: 'S' 'B' kind version, XXH3-64 of what follows, method, content. Numbers are little-endian. The checksum finds
 * what a disk changed; it proves nothing of who wrote it.
 */
#pragma once

#include "base/cursor.h"
#include "base/gzip.h"

enum blob_kind { BLOCK_TREE = 't', BLOCK_ROWS = 'r', BLOCK_SUM = 's' };
/* Bytes of the content of one. */
enum { BLOCK_PLAIN_MAX = 64 << 20, BLOCK_DEFLATE_LEVEL = 6 };

/* -EMSGSIZE: the content is larger than BLOCK_PLAIN_MAX; -ENOSPC: out->max. */
must_check int block_blob_put(enum blob_kind kind, struct str plain, struct gzip_packer *packer, struct buf *out);
/* Whether it is one of that kind, and as it was put; the content is another question. */
bool block_blob_intact(enum blob_kind kind, struct str blob);
/* The content, in the blob itself or in `room`, which is empty. -EBADMSG, -ENOMEM. */
must_check int block_blob_open(enum blob_kind kind, struct str blob, struct buf *room, struct str *ret,
                               struct err *err);

/* Bytes that block_varint_put() takes at most. */
enum { BLOCK_VARINT_MAX = 9 };
/* As cursor_varint() reads it. The caller has made sure of the room; position after it. */
static inline uint8_t *block_varint_put(uint8_t *p, uint64_t v)
{
    for (unsigned i = 0; i < BLOCK_VARINT_MAX - 1; i++) {
        if (v < 0x80) {
            *p++ = (uint8_t)v;
            return p;
        }
        *p++ = (uint8_t)(v | 0x80);
        v >>= 7;
    }
    *p++ = (uint8_t)v;
    return p;
}
static inline void block_put_number(struct buf *out, uint64_t v)
{
    uint8_t *const p = buf_reserve(out, BLOCK_VARINT_MAX);
    if (p)
        out->len += (size_t)(block_varint_put(p, v) - p);
}
static inline uint64_t block_number(struct cursor *c)
{
    if (c->p < c->end && *c->p < 0x80)
        return *c->p++;
    return cursor_varint(c);
}

/* Differences, small ones of either sign as small numbers. They wrap, so that any difference fits. */
static inline uint64_t block_zigzag(int64_t v)
{
    return (uint64_t)v << 1 ^ (uint64_t)(v >> 63);
}
static inline int64_t block_unzigzag(uint64_t v)
{
    return (int64_t)(v >> 1 ^ -(v & 1));
}
