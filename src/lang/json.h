/* Conversion between JSON and the values of the language. Parses with libjansson.
 *
 * Untrusted text is limited before any value is built: JSON_TEXT_MAX bytes and JSON_VALUES_MAX values. Of duplicate
 * members the last one is used. Source: RFC 8259; spec alloy-language §5 (encoding.from_json, to_json, json_path).
 */
#pragma once

#include "base/buf.h"
#include "base/err.h"
#include "base/str.h"
#include "lang/value.h"

enum { JSON_TEXT_MAX = 4 << 20, JSON_VALUES_MAX = 1 << 18 };

enum json_reading {
    JSON_ALL_FLOATS = 0,         /* 1 becomes 1.0 */
    JSON_KEEP_INTEGERS = 1 << 0, /* but those beyond 64 bits become floats */
    JSON_QUOTE_NOTHING = 1 << 1, /* errors have no excerpt of the text */
};

/* Any value, not only arrays and objects. *ret is a new reference. -EINVAL with the library's words and the place;
 * -E2BIG. */
must_check int json_read(struct str text, enum json_reading how, struct value **ret, struct err *err);
/* As Go's encoding/json does: keys sorted; <, >, &, U+2028 and U+2029 escaped; what is no UTF-8 becomes U+FFFD. Targets
 * are objects. -EINVAL for what JSON cannot say and for secrets. */
must_check int json_write(const struct value *v, struct buf *out, struct err *err);
