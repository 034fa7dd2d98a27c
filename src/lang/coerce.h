/* Conversions of a value to the type of a function parameter or component option.
 *
 * Errors are causes ("should be number, got string"), to be prefixed with the text of the expression; see eval_blame().
 * Null yields the zero value. Source: spec alloy-language §3.5 (secrets), §3.7.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/err.h"
#include "lang/value.h"

/* Appends the text of a string, number or optional secret that is none. */
must_check int coerce_text(const struct value *v, struct buf *out, struct err *err);
/* The text of a word out of a few, such as a log level, for a buffer of any maximum: a text that does not fit, or holds
 * a NUL, is refused, so that what is left of it is not taken for a word. */
must_check int coerce_word(const struct value *v, struct buf *out, struct err *err);
/* A string or secret; numbers are no secrets: "should be capsule, got number". */
must_check int coerce_secret(const struct value *v, struct buf *out, struct err *err);
/* Of a number, or of a string that reads as one. */
must_check int coerce_int(struct value *v, int64_t *ret, struct err *err);
must_check int coerce_uint(struct value *v, uint64_t *ret, struct err *err);
must_check int coerce_float(struct value *v, double *ret, struct err *err);
must_check int coerce_bool(const struct value *v, bool *ret, struct err *err);
/* Nanoseconds, by Go's syntax. */
must_check int coerce_duration(const struct value *v, int64_t *ret, struct err *err);

/* "should be array, got string". */
int coerce_refuse(const struct value *v, enum value_kind wanted, struct err *err);
/* Where a capsule of one type belongs: `expected capsule("wanted"), got string`, or of a capsule `capsule("its
 * type")`. */
int coerce_refuse_capsule(const struct value *v, const char *wanted, struct err *err);
