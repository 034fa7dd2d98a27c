/* Memory that the cgroups of a process still allow before an OOM kill.
 *
 * An attach charges 16 to 25 MB to the JVM's container at once (the library, the call trace storage, JFR buffers, and
 * the recording, whose pages are charged to the writer, tmpfs or not); in a container without that headroom the JVM is
 * OOM-killed.
 *
 * The rule is conservative:
 * - Headroom of a group is its limit (memory.max) minus its usage (memory.current), plus page cache that is reclaimed
 *   first: inactive file pages that are neither dirty nor under writeback. Active file pages and reclaimable slab do
 *   not count.
 * - The minimum of all visible groups is used, from the process's own upwards.
 * - Swap does not count: a JVM must not be swapped out for a profiler. In v1 the limit with swap (memsw) is another
 *   limit.
 * - memory.high does not count: beyond it a group is throttled, not killed.
 * - A group without a limit has unlimited headroom. The host's memory is not considered.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"
#include "jvm/probe/cgroup.h"

/* What a first attach needs, when the configuration says nothing: measured 16 MB at which JVMs lived and 10 MB at which
 * they died, and half as much again for what busier ones need. */
enum { JVM_HEADROOM_DEFAULT = 24 << 20 };
/* A roll-over needs this part of it: the library and its tables are there already, and the old recording's pages go. */
enum { JVM_HEADROOM_AGAIN = 4 };

struct headroom {
    bool limited;         /* some group has a limit; else the rest is 0 */
    uint64_t left, limit; /* bytes, of the group with the least left */
};

/* From this group up. */
void headroom_read(const struct cgroup *c, struct headroom *ret);

/* That `need` bytes (0: nothing is asked) are left. -ENOMEM with the numbers. */
must_check int headroom_check(const struct headroom *h, uint64_t need, struct err *err);
