/* The embedded profile store: pushed profiles on disk, and flame graphs from them. Independent of HTTP.
 *
 * One SQLite database (WAL) at <dir>/store.db. A pushed pprof is stored unchanged, gzip-compressed, once per content;
 * each (series, sample type) has a row that points to it. Pushing the same profile again has no effect, so that retries
 * after a lost response do not count twice. Flame graphs are merged by function name at query time.
 *
 * Threads: the store belongs to the loop thread. Work runs on libuv's workers in two serial queues: writes in batches
 * of one transaction, and reads. Queues are bounded: -EAGAIN means "retry later". A directory of NULL keeps everything
 * in memory and uses one queue.
 *
 * Normalisation as in Pyroscope (spec store-query §2.1): samples with a negative value or only zeroes are dropped;
 * string labels of samples split the profile into further series; missing service_name becomes unknown_service; a
 * profile without time gets the current time.
 *
 * For a single host. Source: spec store-query §2.1, §7.4 (level 0 of the schema there).
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <uv.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/str.h"
#include "flow/series.h"
#include "pprof/flame.h"

struct store;
struct store_reader;

enum {
    STORE_PROFILE_MAX = 16 << 20, /* bytes of one pprof, inflated */
    STORE_QUEUE_MAX = 32 << 20,   /* bytes of pushes that wait */
    STORE_READS_MAX = 32,         /* queries that wait */
    STORE_LABELS_MAX = 64,        /* of one series */
};

struct store_options {
    uv_loop_t *loop;
    const char *dir;      /* created when missing, private (store/files.h); NULL = in memory, gone with the process */
    int64_t keep_seconds; /* profiles older than this are deleted; 0 = 7 days */
    int64_t keep_bytes;   /* the oldest are deleted beyond this; 0 = 1 GiB */
};

/* Opens or creates the database, blocking. A damaged one is moved aside and `notice` (may be NULL) says so: "store.db is damaged (…);
 * moved to …". Where even that fails: an error. */
must_check int store_open(const struct store_options *options, struct store **ret, struct buf *notice, struct err *err);
/* Finishes what is queued, closes, frees, then calls `closed` (may be NULL) from the loop. NULL is fine. */
void store_close(struct store *s, void (*closed)(void *arg), void *arg);

enum store_result {
    STORE_OK,
    STORE_INVALID, /* the push is wrong and will stay so: labels, not a pprof, too large */
    STORE_BUSY,    /* try again: queue full, disk full, closing */
    STORE_DAMAGED, /* the database is; it is moved aside at the next start */
    STORE_FAILED,
};
typedef void store_pushed(void *arg, enum store_result result, const struct err *err);

/* Queues one push; everything it refers to must stay until `done`, which comes from the loop, never from inside this call. All of it is
 * stored, or nothing. `bytes` is what it weighs in the queue. -EAGAIN when the queue is full: done is not called. */
must_check int store_push(struct store *s, const struct series *series, size_t n, size_t bytes, store_pushed *done,
                          void *arg);

/* Runs `work` in a worker with a reader, then `done` on the loop. `work` must touch nothing but arg. -EAGAIN when too many wait. */
must_check int store_read(struct store *s, void (*work)(void *arg, struct store_reader *r), void (*done)(void *arg),
                          void *arg);

/* Queries; only inside `work`. Times are milliseconds since the epoch, both ends inclusive. Strings are borrowed during visit. */
struct store_range {
    int64_t from_ms, until_ms;
};
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

struct store_selection {
    struct str service, type;
    const struct label *labels; /* further labels, all must be equal */
    size_t label_count;
    struct store_range range;
};
struct store_span {
    uint64_t profiles;
    int64_t first_ns, last_ns; /* start of the first, end of the last */
};
/* Merges the selected profiles into `out`, which the caller prepared. -ETIMEDOUT after STORE_QUERY_MS. */
enum { STORE_QUERY_MS = 20000 };
must_check int store_flame(struct store_reader *r, const struct store_selection *what, struct flame *out,
                           struct store_span *span, struct err *err);
/* Sums of values per `step_ms`, by the start of each profile; buckets[i] covers from_ms + i * step_ms. */
must_check int store_timeline(struct store_reader *r, const struct store_selection *what, int64_t step_ms,
                              int64_t *buckets, size_t n, struct err *err);
