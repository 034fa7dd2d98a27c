/* Blocks that are no more than a value: arguments and exports of a module, and inputs of a template.
 */
#pragma once

#include "graph/instance.h"

/* Input: whoever makes the graph sets its value. None: declares, settings, what is left out. */
extern const struct block_kind kind_argument, kind_export, kind_input, kind_none;
