/* Writing JSON into a buf. The caller places braces and commas; this escapes (RFC 8259 §7), and what is not UTF-8 becomes U+FFFD. */
#pragma once

#include "base/buf.h"

/* With quotes. */
void json_string(struct buf *out, struct str s);
/* "name": and nothing else. */
void json_name(struct buf *out, const char *name);
/* Shortest of the forms that reads back equal; null for what JSON cannot say. */
void json_double(struct buf *out, double d);
