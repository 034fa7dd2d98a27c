/* Incremental reader of a file, pipe or terminal; inflates gzip, and what unpack.h does.
 *
 * Formats are detected by the first bytes, not by name. Several gzip members are one stream (RFC 1952 §2.2), as for
 * gzip -d. Memory: two small buffers, whatever the size of the stream, and the windows of unpack.h. Blocking: for
 * commands, not for the loop.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "base/err.h"

struct stream;

/* Reads on from where `fd` stands, which stays the caller's; `max` bounds the inflated bytes. */
struct stream *stream_new(int fd, uint64_t max);
/* Up to n bytes; *got is less only at the end, and where it fails: those bytes are good. -EBADMSG: damaged or cut gzip
 * or other packed bytes; -EILSEQ and -ELIBACC as in unpack.h; -EFBIG: more than max; -EIO and the like from the system.
 * A failure sticks. */
must_check int stream_read(struct stream *s, void *to, size_t n, size_t *got, struct err *err);
/* Bytes taken from `fd` so far, for showing progress. */
uint64_t stream_taken(const struct stream *s);
void stream_free(struct stream *s);
