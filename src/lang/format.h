/* string.format: the verbs of Go's fmt.Sprintf for the values of the language.
 *
 * Never fails: errors are reported in the text, as in Go: %!d(string=x), %!s(MISSING), %!(EXTRA int=1). Secrets print
 * as (secret), unset optional secrets as their text. Source: Go's documentation of package fmt.
 */
#pragma once

#include <stddef.h>

#include "base/buf.h"
#include "base/str.h"
#include "lang/value.h"

void format_go(struct str format, struct value *const *args, size_t n, struct buf *out);
/* %v of one value, which is also how targets take values that are no strings: 1e+06, true, [a b], map[k:v]. */
void format_go_value(const struct value *v, struct buf *out);
