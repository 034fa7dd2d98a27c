/* UTF-8 encoding and decoding, and character classes of the language.
 *
 * Letters are Unicode category L, digits Nd, as in the reference; the classes of the C library depend on the locale.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/str.h"

enum { UNICODE_MAX = 0x10ffff, UNICODE_BAD = 0xfffd, UNICODE_BOM = 0xfeff };

/* The first character and its length. Invalid bytes are UNICODE_BAD of length 1 (a real U+FFFD has 3); 0 at the end. */
size_t utf8_decode(struct str s, uint32_t *rune);
void utf8_append(struct buf *out, uint32_t rune);

bool unicode_is_letter(uint32_t rune);
bool unicode_is_digit(uint32_t rune);
bool unicode_is_print(uint32_t rune);
bool unicode_is_space(uint32_t rune);
