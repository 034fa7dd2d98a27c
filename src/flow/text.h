/* Unicode functions for relabelling: simple case mapping per code point, and letters. Independent of the program's
 * locale: uses the C.UTF-8 tables of the C library.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/str.h"

/* The first rune of s (not empty) and how many bytes it takes; U+FFFD and 1 for a byte that starts none. */
uint32_t text_rune(struct str s, size_t *size);
/* Letter, decimal digit or `_`: what the name of a regular expression group consists of. */
bool text_is_word(uint32_t rune);
/* Broken sequences become U+FFFD, a byte each. */
void text_lower(struct str s, struct buf *out);
void text_upper(struct str s, struct buf *out);
void text_mend(struct str s, struct buf *out);
