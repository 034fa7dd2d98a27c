/* Profiles as one self-contained HTML file: flame graphs of every sample type, without a server.
 *
 * The page is web/report.html. Untrusted data is embedded as base64 only, so that no name can become markup or code,
 * and the Content-Security-Policy blocks everything that is not part of the build. The data is gzip-compressed JSON:
 *
 *     {"title": "…", "generator": "smolder 0.1.0", "compare": false, "search": "", "callers": false, "inverted": false,
 *      "profiles": [
 *       {"name": "memory", "types": [["alloc_sample_objects", "count"], …], "time_ns": …, "duration_ns": …,
 *        "truncated": false, "names": ["total", …], "up": […], "node": […], "self": [[…], …]}]}
 *
 * Nodes are numbered, 0 is the root: "up" is the distance to the parent, which precedes a node, "node" its name, "self"
 * its own value per sample type. In a comparison the second half of the types is the base. Samples with threads and
 * times add more: ui/report_threads.h, ui/report_heat.h.
 */
#pragma once

#include "base/buf.h"
#include "base/err.h"
#include "pprof/set.h"

/* How the page opens; all of it can be changed there. */
struct report_look {
    const char *search; /* functions that are highlighted; NULL = none */
    bool callers;       /* stacks begin at the leaf */
    bool inverted;      /* the root is at the bottom */
    int64_t heat_ns;    /* a heat map of samples by time, whose cells are that long (ui/report_heat.h); 0 = none */
};
struct report {
    const char *title; /* name of the input */
    const struct profile_set *set;
    bool compare;
    struct report_look look;
};

/* Appends the page. -E2BIG beyond out->max. */
must_check int report_put(const struct report *r, struct buf *out, struct err *err);
