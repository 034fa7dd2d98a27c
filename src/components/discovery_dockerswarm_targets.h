/* The targets of discovery.dockerswarm, from the answers of a manager: for nodes, services or tasks.
 *
 * A service or task has one target for each published TCP port and address; without one, a target per network with
 * `port`. Sorted by ID. A task without either, such as one that is published by its host alone, still is a target: its
 * container's ID is what a JVM is joined by.
 * Source: spec components §5.4; Prometheus, dockerswarm_sd_config; Docker Engine API, NodeList, ServiceList, TaskList.
 */
#pragma once

#include <stdint.h>

#include "flow/targets.h"
#include "lang/value.h"

enum swarm_role { SWARM_SERVICES, SWARM_TASKS, SWARM_NODES };

/* The answers; those a role does not need are NULL. */
struct swarm_answers {
    const struct value *nodes, *services, *tasks, *networks;
};

void swarm_targets(enum swarm_role role, const struct swarm_answers *answers, int64_t port, struct targets *ret);
