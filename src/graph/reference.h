/* Static checks of a reference: members of the block it resolves to, names of the standard library.
 */
#pragma once

#include "graph/plan.h"
#include "lang/diag.h"

/* Checks that `on`, named by the first `used` parts, has the next part as a member, and that it shadows no name of the
 * standard library. */
void reference_check(const struct block *on, const struct ast_traversal *t, size_t used, struct diags *ds);
/* Whether it names something of the standard library; reports errors of such a reference. */
bool reference_is_of_library(const struct ast_traversal *t, const struct plan_options *options, struct diags *ds);
