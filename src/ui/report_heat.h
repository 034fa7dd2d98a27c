/* The part of a page's data (report.h) that says when samples were taken: what the heat map is drawn from, and the
 * flame graph of a part of the time.
 *
 *     "heat": {"cell_ns": 20000000, "start": …, "at": [0, 0, 3, …], "node": […], "self": [[…], …]}
 *
 * An entry is what a node has of its own in one cell of time, per sample type. Cells are numbered from 1970 on: "start"
 * is the number of the first, "at" by how many the number of an entry is larger than that of the entry before it.
 * Where threads matter, "thread" has the index of each entry's (report_threads.h).
 */
#pragma once

#include "base/buf.h"
#include "pprof/flame_table.h"
#include "ui/report_threads.h"

/* Appends `,"heat": …` of the samples that have a time (CONVERSION_TIME), if any does. `threads` NULL: they do not
 * matter. The table is that of the profile, and stays as it is. */
void report_put_heat(const struct profile *p, struct flame_table *t, int64_t cell_ns,
                     const struct report_threads *threads, struct buf *out);
