/* gzip, whole buffers (RFC 1952). Thread: any. */
#pragma once

#include "base/buf.h"
#include "base/err.h"
#include "base/str.h"

/* Appends the plain bytes of every member of `in`. out->max bounds the result: -EMSGSIZE beyond it. -EBADMSG: not gzip, or damaged. */
must_check int gzip_inflate(struct str in, struct buf *out, struct err *err);
/* Appends one member. `level` 1 (fast) to 12. -ENOSPC when out->max is in the way. */
must_check int gzip_deflate(struct str in, int level, struct buf *out);
