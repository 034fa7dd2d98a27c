/* Base64 with padding (RFC 4648). */
#pragma once

#include "base/buf.h"
#include "base/err.h"
#include "base/str.h"

/* The 64 characters: §4, and §5 for URLs and file names. */
extern const char base64_standard[], base64_url[];

/* By the standard alphabet, on the heap, NUL-terminated. */
char *base64_encode(struct str s);
void base64_write(struct str s, const char *alphabet, struct buf *out);
/* Line breaks are skipped. -EINVAL: "illegal base64 data at input byte 7", the first one that does not fit. */
must_check int base64_decode(struct str s, const char *alphabet, struct buf *out, struct err *err);
