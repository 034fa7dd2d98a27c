/* discovery.relabel: rewrites, keeps and drops targets by relabelling rules. A pure function of its arguments: exports
 * change only when they do, the order of targets is preserved, and labels with empty values are removed.
 *
 * Exports `output` (the targets) and `rules` (for components that accept rules).
 * Source: the component's page in the documentation; spec components §3.3.
 */
#pragma once

#include "graph/component.h"

extern const struct component_def discovery_relabel;
