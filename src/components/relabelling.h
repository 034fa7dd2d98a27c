/* What components that take `rule` blocks have in common. */
#pragma once

#include "flow/relabel.h"
#include "graph/component.h"

/* One warning in the log for each rule that makes a label pyroscope.write has to refuse. */
void relabelling_warn(const struct component *self, const struct relabel_rules *rules);
