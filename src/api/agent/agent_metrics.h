/* Gauges computed at each scrape of /metrics: component health, references, and resources of this process and host.
 * Names and labels: spec alloy-language §8.6, with smolder_ for alloy_.
 */
#pragma once

#include <uv.h>

#include "graph/controller.h"

void agent_metrics_update(uv_loop_t *loop, struct controller *c);
