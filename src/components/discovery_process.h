/* discovery.process: every process of the host as a target, JVMs within about a second. See the head of the source. */
#pragma once

#include "graph/component.h"

extern const struct component_def discovery_process;
