/* Decodes one field of a record, by the kind of its option; the public interface is lang/schema.h.
 *
 * Blocks are handled by schema.c and must not be passed. Errors are causes, prefixed with the path to the failing part
 * ("[2] should be string, got array"), for eval_blame(). Source: spec alloy-language §3.7.
 */
#pragma once

#include "lang/schema.h"

/* The zero value, which for strings is "". */
void option_zero(const struct option *o, void *field);
/* Into zeroed memory, which stays zeroed on failure. */
must_check int option_decode(const struct option *o, struct value *v, void *field, struct err *err);
bool option_equal(const struct option *o, const void *a, const void *b);
void option_done(const struct option *o, void *field);                    /* zeroes it */
struct value *option_to_value(const struct option *o, const void *field); /* new reference */
