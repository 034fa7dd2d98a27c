/* string.format: the verbs of Go's fmt.Sprintf for the values of the language.
 *
 * Never fails: what does not fit is said in the text, as Go does: %!d(string=x), %!s(MISSING), %!(EXTRA int=1).
 * Secrets print as (secret), optional secrets that are none as their text. Source: Go's documentation of package fmt.
 */
#pragma once

#include <stddef.h>

#include "base/buf.h"
#include "base/str.h"
#include "lang/value.h"

void format_go(struct str format, struct value *const *args, size_t n, struct buf *out);
/* %v of one value, which is also how targets take values that are no strings: 1e+06, true, [a b], map[k:v]. */
void format_go_value(const struct value *v, struct buf *out);
