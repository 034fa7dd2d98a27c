/* Block kind: component.
 */
#pragma once

#include "graph/instance.h"

extern const struct block_kind kind_component;

/* Decodes the block and builds or updates the component; also used by imports. */
must_check int kind_component_evaluate(struct node *n, struct err *err);
