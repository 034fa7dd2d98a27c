/* discovery.process: all processes of the host as targets, JVMs within about a second. See the head of the source. */
#pragma once

#include "graph/component.h"

extern const struct component_def discovery_process;
