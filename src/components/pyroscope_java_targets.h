/* Which processes the targets of pyroscope.java name. Private to that component. */
#pragma once

#include "base/map.h"
#include "flow/targets.h"
#include "jvm/operation/request.h"

/* The process of each target, in `ids`, as many as targets; pid 0: the target is of no use, or a later one names the
 * same process, which wins. `reported`: bad targets that were logged, each once until it is gone for one look; it
 * starts as STRMAP_INIT and ends with java_targets_forget(). */
void java_targets_identify(const struct targets *ts, const char *component, struct strmap *reported,
                           struct jvm_id *ids);
void java_targets_forget(struct strmap *reported);
