/* The memory cgroup of a process and its parents, as visible to this process: v2, or v1 with its memory controller. And
 * whether its cgroup is frozen.
 *
 * All files are the kernel's own (/proc and cgroupfs) and do not block. If the agent has its own cgroup namespace,
 * groups outside it are not accessible. Sources: cgroups(7), Linux Documentation/admin-guide/cgroup-v2.rst and
 * cgroup-v1/memory.rst, cgroup-v1/freezer-subsystem.rst, proc(5) mountinfo, cgroup_namespaces(7).
 */
#pragma once

#include <limits.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"
#include "base/str.h"
#include "os/pidref.h"

struct cgroup {
    bool v2;
    char path[PATH_MAX]; /* its directory */
    size_t mount_len;    /* how much of the path is the mount point: no group above that is seen */
};

/* By the texts of /proc/PID/cgroup and of our own mountinfo. -ENOENT without a memory controller, -EXDEV when it is out
 * of reach. */
must_check int cgroup_find(struct str cgroups, struct str mountinfo, struct cgroup *ret, struct err *err);
/* Of a process. Not from two threads at once. */
must_check int cgroup_of(const struct pidref *p, struct cgroup *ret, struct err *err);

/* Is the process frozen ("docker pause", "systemctl freeze"), by either version? False where that cannot be seen. Not
 * from two threads at once. */
bool cgroup_frozen(const struct pidref *p);

/* Makes it the group above; false at the mount point. */
bool cgroup_up(struct cgroup *c);

/* A file with one number ("memory.max"); "max" is UINT64_MAX. False when there is none. */
bool cgroup_number(const struct cgroup *c, const char *file, uint64_t *ret);
/* One line "key number" of a file ("memory.stat"). */
bool cgroup_value(const struct cgroup *c, const char *file, const char *key, uint64_t *ret);
