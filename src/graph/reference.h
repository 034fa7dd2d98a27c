/* What a reference asks for, as far as that is known before anything is evaluated.
 */
#pragma once

#include "graph/plan.h"
#include "lang/diag.h"

/* Says whether `on`, which the first `used` parts name, has what the next part asks it for, and whether it hides a name
 * of the library. */
void reference_check(const struct block *on, const struct ast_traversal *t, size_t used, struct diags *ds);
/* Whether it names something of the library; says what is wrong with that. */
bool reference_is_of_library(const struct ast_traversal *t, const struct plan_options *options, struct diags *ds);
