/* What can be said about expressions without evaluating a configuration: whether what is written out fits its option.
 *
 * An expression is static if it holds no names and no calls: then its value is in the text. Of other lists and objects the static
 * items are looked at, one by one, so that all mistakes are found. Source: spec alloy-language §7.4 (which types are checked, the
 * texts: "expected array, got string").
 */
#pragma once

#include <stdbool.h>

#include "lang/ast.h"
#include "lang/diag.h"
#include "lang/schema.h"

bool static_expr(const struct ast_expr *e);
/* Of a body with all its blocks. */
bool static_body(const struct ast_body *body);
/* `field` is zeroed memory for the option, and zeroed again afterwards. */
void static_check(const struct option *o, const struct ast_expr *e, void *field, struct diags *ds);
