/* Gauges that are worked out when somebody asks for /metrics: how the components are, who is connected to whom, and
 * what this process and this machine use. Names and labels: spec alloy-language §8.6, with smolder_ for alloy_.
 */
#pragma once

#include <uv.h>

#include "graph/controller.h"

void agent_metrics_update(uv_loop_t *loop, struct controller *c);
