/* The labels that Pyroscope's Java agent sends beside a recording: what the context ids and span names in its events
 * mean.
 *
 * A protobuf message, maybe gzip: contexts (id -> pairs of string ids) and strings (id -> text). Ids that lead
 * nowhere are left out. Bytes are foreign. Source: LabelsSnapshot of grafana/jfr-parser; spec jfr-asprof §3.1, §3.4.
 */
#pragma once

#include "base/err.h"
#include "base/map.h"
#include "pprof/symbols.h"

struct snapshot {
    struct symbols *symbols; /* borrowed */
    struct u64map strings;   /* id -> string */
    struct u64map contexts;  /* id -> label set */
    bool full;
};

/* -EBADMSG, -E2BIG where symbols are full; then nothing is to be looked up. To be done() in any case. */
must_check int snapshot_read(struct snapshot *s, struct str bytes, struct symbols *symbols, struct err *err);
void snapshot_done(struct snapshot *s);

/* "" and the empty set where there is none. */
uint32_t snapshot_string(const struct snapshot *s, uint64_t id);
const struct pprof_labels *snapshot_context(const struct snapshot *s, uint64_t id);
