/* What a node tells its controller.
 */
#pragma once

#include "graph/controller.h"

void controller_exports_changed(struct controller *c, const struct component *from);
void controller_node_stopped(struct controller *c);
