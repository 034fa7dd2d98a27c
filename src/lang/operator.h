/* The operators as functions of values.
 *
 * Errors are causes only; the evaluator adds the operand's text and position. Both operands are always evaluated,
 * including && and ||.
 * Source: spec alloy-language §3.3–3.5.
 */
#pragma once

#include "base/err.h"
#include "lang/lexer.h"
#include "lang/value.h"

/* Which operand the cause is about. */
enum operator_fault { OPERATOR_FAULT_ALL, OPERATOR_FAULT_LEFT, OPERATOR_FAULT_RIGHT };

must_check int operator_unary(enum token_kind op, const struct value *v, struct value **ret, struct err *err);
must_check int operator_binary(enum token_kind op, const struct value *left, const struct value *right,
                               struct value **ret, enum operator_fault *fault, struct err *err);
