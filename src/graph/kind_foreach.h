/* What the engine does with a foreach block: one module for each item of a collection, made from the template, told
 * apart by fingerprints of the items.
 */
#pragma once

#include "graph/instance.h"

extern const struct block_kind kind_foreach;
