/* The one analysis of a configuration: from text to the plans of its bodies, with everything that is wrong and needs no evaluation.
 *
 * A load makes the plan of a body when it needs one, and refuses one with errors. Plans for the validator come with those of
 * the bodies inside, whatever is wrong (graph/validate.h).
 */
#pragma once

#include "graph/plan.h"
#include "lang/diag.h"
#include "lang/source.h"

/* -EINVAL: there are errors, and no plan. */
must_check int analysis_of_body(const struct body *body, const struct plan_options *options, struct plan **ret,
                                struct diags *ds);
/* The root's. */
must_check int analysis_of_files(struct source *const *sources, size_t n, const struct plan_options *options,
                                 struct plan **ret, struct diags *ds);
