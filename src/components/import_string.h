/* import.string: a module whose text is an expression, such as the content of a file that a component reads. */
#pragma once

#include "graph/component.h"

extern const struct component_def import_string;
