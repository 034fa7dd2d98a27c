/* String literals: unquoting and quoting.
 * Source: spec alloy-language §1.6; quoting follows Go's strconv.Quote, which is used in messages.
 */
#pragma once

#include "base/buf.h"
#include "base/str.h"

/* Appends the value of a literal with its quotes ("…" or `…`) that the lexer accepted. */
void quote_value(struct str literal, struct buf *out);
/* Appends the text in double quotes, with escapes where it is not printable. */
void quote_print(struct str s, struct buf *out);
/* The same, with escapes for all that is not ASCII, too. */
void quote_print_ascii(struct str s, struct buf *out);
