/* The part of a page's data (report.h) that says which threads samples are of: what the flame graph of some threads is
 * made of.
 *
 *     "threads": {"names": ["main", …], "thread": […], "node": […], "self": [[…], …]}
 *
 * An entry is what a node has of its own in one thread, per sample type; "thread" is the index of its name. What has no
 * thread is of the name "".
 */
#pragma once

#include "base/buf.h"
#include "base/id_map.h"
#include "pprof/flame_table.h"

struct report_threads {
    uint32_t key;    /* of the label "thread" */
    uint32_t *names; /* owned; strings, 0 = no thread */
    size_t count;
    struct id_map known; /* by string: index + 1 */
};

/* The threads of the samples that count in the flame graph. */
void report_threads_init(struct report_threads *r, const struct profile *p);
void report_threads_done(struct report_threads *r);
#define cleanup_report_threads __attribute__((cleanup(report_threads_done)))

/* Whether any of these samples has a thread. */
bool report_threads_matter(const struct report_threads *r);
/* The index of the thread of a label set that a sample which counts has. */
uint32_t report_threads_index(const struct report_threads *r, const struct symbols *s, uint32_t labels);
/* Appends `,"threads": …`. The table is that of the profile, and stays as it is. */
void report_put_threads(const struct report_threads *r, const struct profile *p, struct flame_table *t,
                        struct buf *out);
