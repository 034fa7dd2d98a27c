/* A flame graph as JSON: the flamebearer format of Pyroscope, version 1, which Grafana and Pyroscope's own tools read.
 *
 * One document is one sample type. Levels from the root down; a bar is [offset, total, self, name], the offset counted
 * from the end of the bar to its left. A comparison has the format "double": [offset, total, self] of before, the
 * same of after, name. Source: pyroscope pkg/og/structs/flamebearer. The metadata also has what that format lacks:
 * profile, sampleType, unit, timeNanos, durationNanos.
 */
#pragma once

#include "base/buf.h"
#include "pprof/flame_table.h"

struct flamebearer {
    const char *name;          /* of the profile: "process_cpu" */
    const struct profile *p;   /* what the table was made of */
    struct flame_table *table; /* its flame is put into this type's order */
    size_t column;             /* the sample type */
    bool compare;              /* the second half of the columns is what was before */
};

/* Appends one object; out->max bounds the size and buf_ok() tells. */
void flamebearer_put(const struct flamebearer *f, struct buf *out);
