/* Lists of targets: what discovery components export and others take. A target is a label set inside a capsule that the language
 * sees as an object. Source: spec alloy-language §3.8.
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

/* Array of target capsules; takes new references, leaves the list alone. New reference. */
struct value *targets_value(struct labels *const *items, size_t n);
void targets_done(struct targets *ts);
