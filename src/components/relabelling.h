/* Shared by components with `rule` blocks. */
#pragma once

#include "flow/relabel.h"
#include "graph/component.h"

/* Logs a warning for each rule that sets a label pyroscope.write rejects. */
void relabelling_warn(const struct component *self, const struct relabel_rules *rules);
