/* Block kind: custom component. Attributes are arguments of a module; the module's exports are its exports.
 */
#pragma once

#include "graph/instance.h"

extern const struct block_kind kind_custom;
