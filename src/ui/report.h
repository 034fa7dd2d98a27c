/* Profiles as one self-contained HTML file: flame graphs of every sample type, without a server.
 *
 * The page is web/report.html. Data is inserted as base64 only, so names cannot become markup or code, and the
 * Content-Security-Policy allows only the scripts and styles of the build. The data is gzip-compressed JSON:
 *
 *     {"title": "…", "generator": "smolder 0.1.0", "compare": false, "profiles": [
 *       {"name": "memory", "types": [["alloc_sample_objects", "count"], …], "time_ns": …, "duration_ns": …,
 *        "truncated": false, "names": ["total", …], "up": […], "node": […], "self": [[…], …]}]}
 *
 * Nodes are numbered from the root, 0. Per node, "up" is the distance to its parent, "node" its name, and "self" has
 * its self value for each sample type. In a comparison the second half of the types has the earlier values.
 */
#pragma once

#include "base/buf.h"
#include "base/err.h"
#include "pprof/set.h"

struct report {
    const char *title; /* name of the input */
    const struct profile_set *set;
    bool compare;
};

/* Appends the page. -E2BIG beyond out->max. */
must_check int report_put(const struct report *r, struct buf *out, struct err *err);
