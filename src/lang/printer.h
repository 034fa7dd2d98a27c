/* Expressions as canonical text: what an error message quotes.
 *
 * Blanks around operators, one after a comma; a list keeps the line breaks of its source, indented by tabs, with a comma after
 * the last item. Source: spec alloy-language §3.9 ("source text of that node, formatted").
 */
#pragma once

#include "base/buf.h"
#include "lang/ast.h"

void print_expr(const struct ast_expr *e, struct buf *out);
