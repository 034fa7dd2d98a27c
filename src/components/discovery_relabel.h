/* discovery.relabel: rewrites, keeps and drops targets by rules. A pure function of its arguments: what goes out changes only when
 * they do, kept targets stay in the order they came in, and labels with empty values are left out.
 *
 * Exports `output` (the targets) and `rules` (for other components that take rules).
 * Source: the component's page in the documentation; spec components §3.3.
 */
#pragma once

#include "graph/component.h"

extern const struct component_def discovery_relabel;
