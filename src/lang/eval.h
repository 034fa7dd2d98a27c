/* Evaluates expressions.
 *
 * An error names the innermost expression that failed: "<its text><path below it> <cause>". Evaluation of one
 * expression stops at its first error. Never blocks. Source: spec alloy-language §3 (operators §3.3–3.5, access §3.6,
 * error texts §3.9).
 */
#pragma once

#include "base/err.h"
#include "lang/ast.h"
#include "lang/diag.h"
#include "lang/scope.h"
#include "lang/value.h"

/* *ret is a new reference. -EINVAL with the reason in `ds`. `scope` may be NULL. */
must_check int eval(const struct ast_expr *e, const struct scope *scope, struct value **ret, struct diags *ds);

/* Reports that the value of `e` will not do. `why` is what follows the text of the expression: either the cause
 * ("should be number, got string") or the way to the part at fault and the cause ("[2].name should be number, got
 * string"), in which case the part's own expression is blamed if it is written out below `e`. Returns -EINVAL. */
int eval_blame(const struct ast_expr *e, const char *why, struct diags *ds);
/* The first step of that: the part to blame, *why moved on to what is to follow its text. */
const struct ast_expr *eval_blamed(const struct ast_expr *e, const char **why);
