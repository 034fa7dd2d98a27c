/* The embedded profile store: pushed profiles on disk, and flame graphs from them. Independent of HTTP.
 *
 * One SQLite database (WAL) at <dir>/store.db. A pushed pprof goes to the journal: unchanged, gzip-compressed, once per
 * content; each (series, sample type) has a row that points to it. Every few minutes the journal is packed into blocks
 * (store/compaction.h), a few MiB at a time, beside pushes and queries. Pushing the same profile again has no effect,
 * so that retries after a lost response do not count twice. Flame graphs are merged by function name at query time;
 * those of blocks are kept for the next question (store/block_cache.h). Profiles are never decoded here, neither pushed
 * nor stored ones, but in a parser process (store/digest.h, store/flame_merge.h, store/block.h).
 *
 * Threads: the store belongs to the loop thread. Work runs on libuv's workers in two serial queues: writes in batches
 * of one transaction, and reads. Queues are bounded: -EAGAIN means "retry later". A directory of NULL keeps everything
 * in memory and uses one queue.
 *
 * Metrics: smolder_store_pushes_total{result}, smolder_store_deleted_profiles_total{reason}, smolder_store_bytes,
 * smolder_store_oldest_profile_timestamp_seconds, smolder_store_blocks, smolder_store_packed_profiles_total,
 * smolder_store_pack_seconds_total, smolder_store_damaged_total, smolder_store_cache_bytes,
 * smolder_store_cache_lookups_total{result}, smolder_store_salvaged_total{part,result}. What is damaged is left out,
 * logged once and counted. On a full disk the oldest profiles make room for new ones (store/disk_room.h).
 *
 * Normalisation as in Pyroscope (spec store-query §2.1): samples with a negative value or only zeroes are dropped;
 * string labels of samples split the profile into further series; missing service_name becomes unknown_service; a
 * profile without time gets the current time.
 *
 * A directory belongs to one open store: it is locked (store/files.h).
 *
 * For a single host. Source: spec store-query §2.1, §7.4 (with blocks of an hour).
 */
#pragma once

#include <stddef.h>
#include <stdint.h>
#include <uv.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/str.h"
#include "flow/series.h"
#include "store/limits.h"
#include "store/query.h"

struct store;

enum {
    STORE_QUEUE_MAX = 32 << 20, /* bytes of queued pushes */
    STORE_READS_MAX = 32,       /* queued queries */
};

struct store_options {
    uv_loop_t *loop;
    struct parser_pool *parsers; /* where profiles are decoded; outlives the store. NULL: see parser/parser_batch.h */
    const char *dir;             /* created if missing, private (store/files.h); NULL = in memory */
    int64_t keep_seconds;        /* retention (store/retention.h); 0 = 7 days */
    int64_t keep_bytes;          /* size beyond which the oldest are deleted; 0 = 1 GiB */
    int64_t cache_bytes;         /* of kept answers; 0 = 16 MiB, negative = none */
    struct store_limits limits;  /* of one query */
    void (*problem)(void *arg, const char *text); /* a message for the operator, on the loop; may be NULL */
    void *problem_arg;
    /* Of a store that is not the program's only one: called after each sweep, with problem_arg, instead of setting the
     * gauges above. NULL: they are set. */
    void (*measured)(void *arg, int64_t bytes, int64_t oldest_ns);
};

/* Opens or creates the database; blocks. A damaged database is renamed, with a message in `notice` (may be NULL):
 * "store.db is damaged (…); moved to …". An error if that fails. The same happens to one that turns out damaged at
 * work. What can be read of it is copied into the new one meanwhile, with a message at the end (store/rescue.h). Those
 * that were renamed before the retention are deleted, with a message as well. */
must_check int store_open(const struct store_options *options, struct store **ret, struct buf *notice, struct err *err);
/* As two steps, with the files opened by the second, as whom the process is by then. In between nothing is pushed or
 * read. Where the second fails, store_close() is what is left. */
struct store *store_new(const struct store_options *options);
must_check int store_begin(struct store *s, struct buf *notice, struct err *err);
/* The second step in two, for who must not block the loop: the files, in a worker, then the rest, on the loop. */
must_check int store_begin_files(struct store *s, struct buf *notice, struct err *err);
void store_begin_sweeps(struct store *s);
/* Runs queued jobs, closes, frees, then calls `closed` (may be NULL) on the loop. NULL is allowed. */
void store_close(struct store *s, void (*closed)(void *arg), void *arg);

enum store_result {
    STORE_OK,
    STORE_INVALID,   /* invalid push, not to be retried: labels, pprof or size */
    STORE_SET_ASIDE, /* likewise: a profile ended the parser twice */
    STORE_BUSY,      /* retry later: queue full, disk full, no parser, closing */
    STORE_DAMAGED,   /* retry later: the database is damaged, and another one takes its place */
    STORE_FAILED,
};
typedef void store_pushed(void *arg, enum store_result result, const struct err *err);

/* Queues one push, stored as a whole or not at all. All referenced data must live until `done`, which is called on the
 * loop, never before this returns. `bytes` counts against STORE_QUEUE_MAX. -EAGAIN: queue full, `done` is not
 * called. */
must_check int store_push(struct store *s, const struct series *series, size_t n, size_t bytes, store_pushed *done,
                          void *arg);

/* As store_read(), with a connection that may write; after the pushes before it. */
must_check int store_write(struct store *s, void (*work)(void *arg, struct store_reader *r), void (*done)(void *arg),
                           void *arg);
/* Runs `work` in a worker, then `done` on the loop. `work` may access `arg` only. -EAGAIN: too many queued queries. */
must_check int store_read(struct store *s, void (*work)(void *arg, struct store_reader *r), void (*done)(void *arg),
                          void *arg);
