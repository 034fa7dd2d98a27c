/* Profiles as one HTML file that opens from disk: flame graphs of every sample type, to look at without a server.
 *
 * web/report.html is the page; what is foreign goes into it only as base64, so that no name can become markup or code,
 * and its Content-Security-Policy lets nothing run or load but what the build put there. The data is gzip-compressed
 * JSON:
 *
 *     {"title": "…", "generator": "smolder 0.1.0", "compare": false, "profiles": [
 *       {"name": "memory", "types": [["alloc_sample_objects", "count"], …], "time_ns": …, "duration_ns": …, "truncated": false,
 *        "names": ["total", …], "up": […], "node": […], "self": [[…], …]}]}
 *
 * Nodes are numbered, 0 is the root: "up" is how far its parent comes before a node, "node" its name, "self" for each
 * sample type what it has of its own. In a comparison the second half of the types is what was before.
 */
#pragma once

#include "base/buf.h"
#include "base/err.h"
#include "pprof/set.h"

struct report {
    const char *title; /* what was converted */
    const struct profile_set *set;
    bool compare;
};

/* Appends the page. -E2BIG where out->max is in the way. */
must_check int report_put(const struct report *r, struct buf *out, struct err *err);
