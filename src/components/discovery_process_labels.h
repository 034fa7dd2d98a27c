/* The labels of a process, made from the record of a scan. What is not valid UTF-8 is mended here: one such byte in an
 * argument would otherwise cost every profile with that label. Source: spec components §2.2.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "flow/labels.h"
#include "jvm/operation/scan.h"

/* Which labels are set: the block `discover_config`. */
struct discover_config {
    bool exe, cwd, commandline, username, uid, container_id, cgroup_path, systemd, java, service_name;
};

/* `known`: the labels the process has, if what they say of its JVM was not asked for again; else NULL.
 * `command_max`: bytes of the command line that are kept. New reference. */
struct labels *process_labels(const struct discover_config *c, const struct jvm_scan_record *record,
                              const struct labels *known, size_t command_max);
