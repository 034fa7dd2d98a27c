/* Prints syntax trees as canonical text, for `smolder fmt` and for quotes in error messages.
 *
 * The tokens of the source are written verbatim and in order, with different white space, so that the meaning is
 * preserved; only commas before a closing bracket are added or removed, and empty labels "" are removed. Printing is
 * idempotent.
 * Source: spec alloy-language §7.5 (layout rules), §3.9 ("source text of that node, formatted"). Unlike the reference,
 * which is not stable there: whether a statement or value spans several lines depends on the output, not on the source;
 * strings are never changed; comments among the arguments of a call are indented like the arguments.
 */
#pragma once

#include "base/buf.h"
#include "lang/ast.h"

/* A whole file with its comments; ends with one LF. When it does not fit, `out` has failed. */
void print_file(const struct ast_file *f, struct buf *out);
/* Without comments and without a LF at the end. */
void print_expr(const struct ast_expr *e, struct buf *out);
