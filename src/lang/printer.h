/* Syntax trees as canonical text: what `smolder fmt` writes and what error messages quote.
 *
 * The tokens of the source are written again, verbatim and in order, with other blanks between them, so the text means the
 * same; only commas before a closing bracket come and go, and a label "" goes. Printing what was printed changes nothing.
 * Source: spec alloy-language §7.5 (layout rules), §3.9 ("source text of that node, formatted"). Other than the reference,
 * which is not stable there: whether a statement or value spans several lines is a property of what is written, not of the
 * source; the text of strings is never touched; comments among the arguments of a call are indented like the arguments.
 */
#pragma once

#include "base/buf.h"
#include "lang/ast.h"

/* A whole file with its comments; ends with one LF. When it does not fit, `out` has failed. */
void print_file(const struct ast_file *f, struct buf *out);
/* Without comments and without a LF at the end. */
void print_expr(const struct ast_expr *e, struct buf *out);
