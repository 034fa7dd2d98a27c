/* The components this program has, by name.
 */
#pragma once

#include "base/str.h"
#include "graph/component.h"

/* NULL when there is none of that name. `defs` is NULL-terminated. */
const struct component_def *registry_find(const struct component_def *const *defs, struct str name);
/* The name closest to a misspelt one, or NULL when none is close. */
const char *registry_suggest(const struct component_def *const *defs, struct str name);
