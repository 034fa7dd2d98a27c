/* How much memory the cgroups of a process still let it have, before the kernel kills something in them.
 *
 * Why: an attach costs the JVM's container 16 to 25 MB at once (the library, the call-trace storage, JFR buffers, and the recording,
 * whose pages are charged to who writes them, tmpfs or not), and a container that has not got them loses its JVM to the OOM killer.
 *
 * The rule, which errs on the careful side:
 * - A group's head-room is its limit (memory.max) less what it uses (memory.current), plus the page cache that goes at once when
 *   memory is short: inactive file pages that are neither dirty nor being written. Active file pages and reclaimable slab do not count.
 * - The least of all groups counts, from the process's own up to the last one that can be seen.
 * - Swap does not count: a JVM that is swapped for a profiler is not served. In version 1 the limit with swap (memsw) is one more limit.
 * - memory.high does not count: beyond it a group is slowed, not killed.
 * - A group without a limit has all head-room there is. The host's own memory is not looked at.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"
#include "jvm/probe/cgroup.h"

/* What a first attach needs, when the configuration says nothing: measured 16 MB at which JVMs lived and 10 MB at which they died, and
 * half as much again for what busier ones need. */
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
