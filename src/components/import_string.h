/* import.string: a module from a string expression. */
#pragma once

#include "graph/component.h"

extern const struct component_def import_string;
