/* Block kind: foreach. One module per item of the collection, made from the template; modules are identified by the
 * fingerprints of their items.
 */
#pragma once

#include "graph/instance.h"

extern const struct block_kind kind_foreach;
