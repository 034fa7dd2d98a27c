/* What the engine does with an import: what its source brings is a module of its own that holds nothing but definitions
 * and further imports.
 */
#pragma once

#include "graph/instance.h"

extern const struct block_kind kind_import;
