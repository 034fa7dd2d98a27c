/* The targets of discovery.docker, from the answers to /containers/json and /networks: one for each network and TCP
 * port of a container, sorted by container ID, network and port. Source: spec components §5.1.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "flow/targets.h"
#include "lang/value.h"

struct docker_target_options {
    int64_t port;
    const char *host_networking_host;
    bool match_first_network;
};

void docker_targets(const struct value *containers, const struct value *networks,
                    const struct docker_target_options *options, struct targets *ret);
