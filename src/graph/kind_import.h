/* Block kind: import. The imported text becomes a module that contains definitions and further imports only.
 */
#pragma once

#include "graph/instance.h"

extern const struct block_kind kind_import;
