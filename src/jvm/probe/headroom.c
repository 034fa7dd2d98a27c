#include "jvm/probe/headroom.h"

#include <errno.h>

/* From here on a limit is none: version 1 says so with the largest number of whole pages. */
static const uint64_t UNLIMITED = (uint64_t)1 << 60;

/* What goes at once. */
static uint64_t headroom_reclaimable(const struct cgroup *c)
{
    /* Version 1 tells its own pages apart from those of the groups below; its limit is about all of them. */
    uint64_t idle = 0, dirty = 0, writeback = 0;
    (void)cgroup_value(c, "memory.stat", c->v2 ? "inactive_file" : "total_inactive_file", &idle);
    (void)cgroup_value(c, "memory.stat", c->v2 ? "file_dirty" : "total_dirty", &dirty);
    (void)cgroup_value(c, "memory.stat", c->v2 ? "file_writeback" : "total_writeback", &writeback);
    return idle > dirty + writeback ? idle - dirty - writeback : 0;
}

static void headroom_note(struct headroom *h, uint64_t limit, uint64_t used, uint64_t spare)
{
    if (limit >= UNLIMITED)
        return;
    uint64_t kept = used > spare ? used - spare : 0, left = limit > kept ? limit - kept : 0;
    if (h->limited && left >= h->left)
        return;
    *h = (struct headroom){.limited = true, .left = left, .limit = limit};
}

static void headroom_read_group(struct headroom *h, const struct cgroup *c, const char *limit_file,
                                const char *usage_file)
{
    uint64_t limit, used;
    if (cgroup_number(c, limit_file, &limit) && limit < UNLIMITED && cgroup_number(c, usage_file, &used))
        headroom_note(h, limit, used, headroom_reclaimable(c));
}

void headroom_read(const struct cgroup *c, struct headroom *ret)
{
    struct cgroup at = *c;
    *ret = (struct headroom){0};
    do {
        uint64_t hierarchy = 1;
        if (at.v2) {
            headroom_read_group(ret, &at, "memory.max", "memory.current");
            continue;
        }
        /* Without it a group of version 1 is charged for its own processes only. */
        if (at.path[0] &&
            (!cgroup_number(&at, "memory.use_hierarchy", &hierarchy) || hierarchy || strcmp(at.path, c->path) == 0)) {
            headroom_read_group(ret, &at, "memory.limit_in_bytes", "memory.usage_in_bytes");
            headroom_read_group(ret, &at, "memory.memsw.limit_in_bytes", "memory.memsw.usage_in_bytes");
        }
    } while (cgroup_up(&at));
}

int headroom_check(const struct headroom *h, uint64_t need, struct err *err)
{
    const double mega = 1 << 20;
    if (!h->limited || h->left >= need)
        return 0;
    return err_set(err, -ENOMEM,
                   "memory limit of the container: %.0f MiB of %.0f MiB left, the profiler needs up to %.0f MiB; raise "
                   "the limit, or lower memory_headroom at the risk of an OOM kill",
                   (double)h->left / mega, (double)h->limit / mega, (double)need / mega);
}
