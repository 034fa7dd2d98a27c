/* JSON writer on a buf. The caller writes braces and commas; this escapes strings (RFC 8259 §7) and replaces invalid
 * UTF-8 by U+FFFD.
 */
#pragma once

#include "base/buf.h"

/* With quotes. Its symbol has another name, because libjansson has a function of this one, which a program that uses
 * both could be linked to. */
void json_string(struct buf *out, struct str s) __asm__("json_put_string");
/* "name": and nothing else. */
void json_name(struct buf *out, const char *name);
/* Shortest of the forms that reads back equal; null for what JSON cannot say. */
void json_double(struct buf *out, double d);
