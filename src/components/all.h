/* The table of all components. A new component only needs to be added here. */
#pragma once

#include "graph/component.h"

/* NULL-terminated. */
extern const struct component_def *const all_components[];
