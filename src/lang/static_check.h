/* Type checks of literals, without evaluation.
 *
 * An expression is static if it contains no names and no calls: its value is known from the text. In other lists and
 * objects the static items are checked one by one, so that all errors are reported. Source: spec alloy-language §7.4
 * (checked types, texts: "expected array, got string").
 */
#pragma once

#include <stdbool.h>

#include "lang/ast.h"
#include "lang/diag.h"
#include "lang/option.h"

/* Of a body with all its blocks. */
bool static_body(const struct ast_body *body);
/* `field` is zeroed memory for the option, and zeroed again afterwards. */
void static_check(const struct option *o, const struct ast_expr *e, void *field, struct diags *ds);
