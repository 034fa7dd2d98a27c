/* Lists of targets, exported by discovery components. A target is a label set in a capsule that the language treats as
 * an object.
 * Source: spec alloy-language §3.8.
 */
#pragma once

#include "flow/labels.h"
#include "lang/schema.h"

struct targets {
    struct labels **items; /* one reference each */
    size_t len;
};

extern const struct capsule_type target_capsule;
/* For OPT_CUSTOM options of type struct targets. */
extern const struct option_type targets_option;

/* One target from what a configuration may write for it: a target, an object of strings, numbers and bools, or null (no
 * labels). Empty values are kept. New reference. The message is a cause without position. */
must_check int target_from_value(struct value *v, struct labels **ret, struct err *err);

/* Array of target capsules; takes new references, leaves the list alone. New reference. */
struct value *targets_value(struct labels *const *items, size_t n);
void targets_done(struct targets *ts);
