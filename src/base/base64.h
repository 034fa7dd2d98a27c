/* Base64 with the standard alphabet and padding (RFC 4648 §4). */
#pragma once

#include "base/str.h"

/* On the heap, NUL-terminated. */
char *base64_encode(struct str s);
