/* The components this program knows: all.c is made from the files of this folder when Meson configures
 * (tools/sources). */
#pragma once

#include "graph/component.h"

/* NULL-terminated. */
extern const struct component_def *const all_components[];
