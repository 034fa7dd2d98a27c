/* From text to the plan of a body, with everything that is wrong and needs no evaluation.
 *
 * A load makes the plan of a body when it needs one, and has none if there are errors. The validator makes them in its
 * own order, of the same parts (graph/validate.h).
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
/* Parses the files of a root and hands its body on, which is good during the call; not if one cannot be parsed. */
typedef void analysis_take_root(void *arg, const struct body *root);
void analysis_read_files(struct source *const *sources, size_t n, analysis_take_root *take, void *arg,
                         struct diags *ds);
