/* The name of a pprof pushed to /ingest: process_cpu, memory, mutex, … Its sample types decide, and what the client
 * calls them: Go's mutex and block profiles have the same types. Source: spec store-query §2.2; Pyroscope's SDKs.
 */
#pragma once

#include "base/buf.h"
#include "base/err.h"
#include "pprof/profile.h"

/* Appends the name; nothing for a profile without sample types. `config` is the part sample_type_config of the body,
 * {"contentions": {"display-name": "block_count"}}, or "". -EINVAL: it cannot be read. */
must_check int ingest_metric_of(const struct profile *p, struct str config, struct buf *out, struct err *err);
