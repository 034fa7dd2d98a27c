/* What nodes have of their own at some time, or in some thread: the entries of report_heat.h and report_threads.h. */
#pragma once

#include "base/buf.h"
#include "pprof/flame_table.h"

struct report_entry {
    int64_t at;      /* since 1970; 0 where times do not matter */
    uint32_t thread; /* 0 where threads do not matter */
    uint32_t node;
    int64_t values[PROFILE_TYPES_MAX];
};
struct report_entries {
    struct report_entry *items; /* owned */
    size_t len;
};

/* Fills in `at` and `thread` of an entry for a sample; false leaves it out. */
typedef bool report_entry_fn(const void *context, uint32_t labels, struct report_entry *e);

/* The samples that count in the flame graph, sorted by time, thread and node, equal ones as one. The table is that of
 * the profile, and stays as it is. */
void report_entries_init(struct report_entries *r, const struct profile *p, struct flame_table *t,
                         report_entry_fn *fill, const void *context);
void report_entries_done(struct report_entries *r);
#define cleanup_report_entries __attribute__((cleanup(report_entries_done)))

/* Appends `"thread": […]`, and `"node": […], "self": [[…], …]`. */
void report_put_entry_threads(const struct report_entries *r, struct buf *out);
void report_put_entry_values(const struct report_entries *r, size_t columns, struct buf *out);
