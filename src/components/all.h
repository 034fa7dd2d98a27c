/* The components this program knows. A new one adds its definition here and nothing else. */
#pragma once

#include "graph/component.h"

/* NULL-terminated. */
extern const struct component_def *const all_components[];
