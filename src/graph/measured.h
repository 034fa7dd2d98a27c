/* How long evaluations take and wait, for dashboards: histograms with the labels of the reference (spec alloy-language
 * §8.6). Loads are not in them, as there; what a changed export sets off is.
 */
#pragma once

#include <stdint.h>

/* The labels controller_path and controller_id of a module: "a/b/c" is "c" in "/a/b", the root "" in "/". *ret_path is
 * to be freed, *ret_id is a part of module_id. */
void measured_labels(const char *module_id, char **ret_path, const char **ret_id);

/* One evaluation, by the clock of uv_hrtime(): marked for it, begun, ended. `id` is the component's, NULL for what is
 * none. */
void measured_evaluation(const char *module_id, const char *id, uint64_t marked, uint64_t begun, uint64_t ended);
/* A module is gone. */
void measured_forget(const char *module_id);
