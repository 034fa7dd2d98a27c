/* Targets that name a container but no process: which JVMs are in it.
 *
 * Configurations pass the targets of Kubernetes or Docker straight to pyroscope.java. The processes of the host are
 * watched only while there is such a target: as in discovery.process a check a second (components/process_table.h)
 * finds what may be a JVM, and the helper reads its container ID (jvm/operation/scan.h). Containers that are what their
 * user says (os/procfs.h procfs_container()), rootless ones, do not count: discovery.process can join those, because it
 * knows the processes of all other containers as well. Loop thread only.
 */
#pragma once

#include "components/env.h"
#include "flow/targets.h"

struct java_containers;

/* A JVM in a container. `main`: empty where services are not called by it. */
struct java_container_jvm {
    pid_t pid;
    uint64_t start_time;
    struct str container, service, main;
};
/* Whether the target names a container but no process. A container whose ID is not known yet has an empty one. */
bool java_container_is_named(const struct labels *target);
/* What the target of a container becomes for that JVM. New reference. */
struct labels *java_container_target(const struct labels *target, const struct java_container_jvm *j);

/* `changed` is called, from the loop, when other JVMs are known than before. */
struct java_containers *java_containers_new(const struct component_env *env, void (*changed)(void *arg), void *arg);
void java_containers_free(struct java_containers *c);

/* The targets with those of containers replaced: one for each JVM in it, with __process_pid__, __process_start_time__
 * and __container_id__ added, and the names that discovery.process would add (service_name only if it has none). None
 * if there is no JVM. Others stay as they are. `ret` is replaced. */
void java_containers_resolve(struct java_containers *c, const struct targets *targets, struct targets *ret);
