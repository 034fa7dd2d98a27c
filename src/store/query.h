/* Queries: services, profile types, flame graphs and totals over time.
 *
 * To be called from the `work` function of store_read() only, in its worker. Times are milliseconds since the epoch,
 * both ends inclusive. Strings are borrowed during `visit`.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "base/str.h"
#include "flow/labels.h"
#include "pprof/flame.h"
#include "store/select.h"

struct store_service {
    struct str name;
    uint64_t profiles; /* rows: one per sample type and series */
    int64_t last_ms;
};
must_check int store_services(struct store_reader *r, struct store_range range,
                              void (*visit)(void *arg, const struct store_service *s), void *arg, struct err *err);
struct store_type {
    struct str id; /* "process_cpu:cpu:nanoseconds:cpu:nanoseconds" */
    uint64_t profiles;
    int64_t total; /* sum of values */
};
must_check int store_types(struct store_reader *r, struct str service, struct store_range range,
                           void (*visit)(void *arg, const struct store_type *t), void *arg, struct err *err);

struct store_span {
    uint64_t profiles;         /* as they were pushed: one per thread is still one */
    int64_t first_ns, last_ns; /* start of the first, end of the last */
    int64_t duration_ns;       /* of all together; one that several series share counts once */
    int64_t period;            /* the longest */
};
/* How the stacks of a selection become a tree, and which samples count. */
struct store_merge {
    bool lines;                                 /* names of nodes are texts of store/frame_text.h */
    const struct str *spans, *traces;           /* ids in hex, lower case: of 16 and of 32 digits */
    size_t span_count, trace_count;             /* 0 = all samples; not both */
    const uint8_t (*profiles)[PROFILE_ID_SIZE]; /* ids of profiles (store/select.h) */
    size_t profile_count;                       /* 0 = all profiles */
};
/* Merges what a filter selects, all of one profile type, into `out`. Where that has not enough nodes, it is truncated
 * (pprof/flame.h). `span` may be NULL: to find it, every selected profile is looked at. */
must_check int store_merge(struct store_reader *r, const struct store_filter *filter, const struct store_merge *how,
                           struct flame *out, struct store_span *span, struct err *err);
