/* `join` of discovery.process: adds the labels of container targets to the processes of the container.
 *
 * Unlike the reference, which also emits every container in random order, only processes are exported: a container
 * without a process cannot be profiled. Source: spec components §2.4.
 */
#pragma once

#include "base/map.h"
#include "flow/labels.h"
#include "flow/targets.h"

struct process_join {
    struct strmap by_id; /* container id -> struct labels *, both borrowed from the containers */
};

/* Of containers with the same id the last counts. `containers` must outlive the join. */
void process_join_init(struct process_join *j, const struct targets *containers);
void process_join_done(struct process_join *j);

/* The process's labels overlaid with those of its container (an empty container label deletes), or the process's own if
 * it is in none that is known. `delegated`: which one it is in is what its user says (procfs_container); then it is
 * never one that Kubernetes made. New reference. */
struct labels *process_join_apply(const struct process_join *j, struct labels *process, bool delegated);

/* __container_id__; else the Kubernetes id without its docker://, containerd:// or cri-o:// (any other runtime: none);
 * else the Docker id, else (unlike the reference) that of a Swarm task. Empty if none. Borrowed. */
struct str process_join_id(const struct labels *container);
