/* Numbers as text, both ways, as the reference (Go's strconv) does it.
 * Source: spec alloy-language §1.5, §3.7.
 */
#pragma once

#include <stdbool.h>

#include "base/buf.h"
#include "base/str.h"
#include "lang/value.h"

/* A literal NUMBER or FLOAT: int64, else uint64, else double; a leading 0 means octal. New reference. */
struct value *number_literal(struct str s);
/* A string where a number belongs: "-" reads a signed integer only, any of ".eE" a float, else unsigned. False: not a
 * number. */
bool number_from_text(struct str s, struct value **ret);
/* Shortest text that reads back the same; style 'f' never has an exponent, 'g' (Go's %v) has one below 1e-4 and from
 * 1e6 on. */
void number_print_float(double d, char style, struct buf *out);
/* A number value without exponent. */
void number_print(const struct value *v, struct buf *out);
