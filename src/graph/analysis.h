/* Parses configuration files and makes the plan of a body, with all errors that do not depend on evaluation.
 *
 * A load plans each body when it is instantiated and stops at the first error of a block. The validator uses the same
 * collection and linking in its own order (graph/validate.h).
 */
#pragma once

#include "graph/plan.h"
#include "lang/diag.h"
#include "lang/source.h"

/* -EINVAL: errors in `ds`, no plan. */
must_check int analysis_of_body(const struct body *body, const struct plan_options *options, struct plan **ret,
                                struct diags *ds);
/* The plan of the root. */
must_check int analysis_of_files(struct source *const *sources, size_t n, const struct plan_options *options,
                                 struct plan **ret, struct diags *ds);
/* Parses the files and calls `take` with the root body, valid during the call; not after a syntax error. */
typedef void analysis_take_root(void *arg, const struct body *root);
void analysis_read_files(struct source *const *sources, size_t n, analysis_take_root *take, void *arg,
                         struct diags *ds);
