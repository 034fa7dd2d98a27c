/* What the engine does with the block of a custom component: its attributes are the arguments of a module, whose
 * exports are its own.
 */
#pragma once

#include "graph/instance.h"

extern const struct block_kind kind_custom;
