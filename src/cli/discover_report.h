/* What a configuration would profile: its targets, and what drops each other JVM of the host.
 * Read from the components of a running graph (cli/discover.c).
 */
#pragma once

#include <stdbool.h>

#include "base/buf.h"
#include "cli/local_jvms.h"
#include "graph/controller.h"

/* Whether all components that discover something have a first result, and none is to be evaluated. `waiting`: the first
 * that has none, "" if all have. *state changes with every export. */
bool discover_is_complete(struct controller *c, uint64_t *state, char waiting[256]);

struct discover_result {
    struct controller *controller;
    struct local_list jvms;
    bool names_by_main; /* --java.service-name=main */
};
/* Targets of pyroscope.java that are no JVM of this host. */
size_t discover_other_targets(const struct discover_result *r);

void discover_put_text(const struct discover_result *r, struct buf *out);
void discover_put_json(const struct discover_result *r, struct buf *out);
