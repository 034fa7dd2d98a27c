/* Unpacks Zstandard, XZ and LZ4 (frames) through the system's libraries, which are loaded when such input comes, and
 * the one file of a ZIP archive.
 *
 * No header of the libraries is needed to build: what is used of them is few functions whose interface is fixed by
 * their sonames. Memory is what a library needs for a window: at most 128 MiB (Zstandard), 256 MiB (XZ). How much comes
 * out is the caller's to bound. Sources: RFC 8878; zstd.h (1.5), lzma/base.h and container.h (5.4), lz4frame.h (1.9);
 * APPNOTE.TXT of PKWARE §4.3, §4.4.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "base/str.h"

/* Of which format's beginning these bytes are, however few; NULL = of none. UNPACK_BEGIN bytes are enough. */
enum { UNPACK_BEGIN = 6 };
struct unpack_format;
const struct unpack_format *unpack_recognise(struct str begin);

struct unpacker;

/* -ELIBACC: the library is missing, and the error says what to install. -ENOMEM. */
must_check int unpacker_new(const struct unpack_format *f, struct unpacker **ret, struct err *err);
void unpacker_free(struct unpacker *u);

/* Bytes to unpack, and room for what comes of them; both are moved on. */
struct unpack_io {
    const uint8_t *in;
    size_t in_len;
    uint8_t *out;
    size_t out_len;
};
/* Goes on until input or room is used up. `last`: no more input follows. 1 at the end of all, 0 before, and nothing was
 * moved on if it takes more input; -EBADMSG damaged or truncated, -EILSEQ archives that hold something else than one
 * file. */
must_check int unpacker_step(struct unpacker *u, struct unpack_io *io, bool last, struct err *err);
