/* What the engine does with the block of a component.
 */
#pragma once

#include "graph/instance.h"

extern const struct block_kind kind_component;

/* Also for others that build a component: decodes the block, and builds or updates. */
must_check int kind_component_evaluate(struct node *n, struct err *err);
