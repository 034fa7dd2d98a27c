/* The spool of one endpoint on the loop: files are read and written by workers, one at a time
 * (pyroscope_write_spool_files.h).
 *
 * Nothing is created before something is stored, so that it costs nothing while an endpoint takes everything.
 */
#pragma once

#include <uv.h>

#include "components/pyroscope_write_spool_files.h"
#include "flow/receiver.h"

/* The copy of a profile on disk, or on its way there. */
struct spooled;

/* A profile that was read. References and `copy` are the callee's. */
struct write_spool_entry {
    struct labels *labels;
    struct encoded_profile *profile;
    struct spooled *copy;
    int64_t age_ns;
};

struct write_spool_events {
    /* Of write_spool_take(). */
    void (*taken)(void *ctx, const struct write_spool_entry *e);
    /* Something was stored, read or removed. `problem`: why it could not be, "" = nothing. */
    void (*changed)(void *ctx, const char *problem);
};

struct write_spool;

/* <storage path>/spool/<hash of the key>: what tells an endpoint from others. To be freed. */
char *write_spool_path(const char *storage_path, const char *key);
/* `path` is one of those. `clock_offset_ns` (may be NULL) is for tests: how far time is
 * ahead. Looks for what an earlier agent left at once. */
struct write_spool *write_spool_new(uv_loop_t *loop, const char *path, const struct spool_limits *limits,
                                    int64_t (*clock_offset_ns)(void), const struct write_spool_events *events,
                                    void *ctx);
void write_spool_limit(struct write_spool *s, const struct spool_limits *limits);
/* Writes what it was told so far and ends; no more events. NULL is allowed. */
void write_spool_close(struct write_spool *s);

/* Never fails at once: see write_spool_is_stored(). Takes references until it is written. */
struct spooled *write_spool_store(struct write_spool *s, const struct labels *labels, struct encoded_profile *p);
bool write_spool_is_stored(const struct spooled *c);
bool write_spool_has_failed(const struct spooled *c);
/* The profile was delivered or dropped. Both take `copy` over. */
void write_spool_finish(struct write_spool *s, struct spooled *copy);
/* It is no longer in memory and is to be taken again. */
void write_spool_release(struct write_spool *s, struct spooled *copy);
/* Reads the oldest profiles that are on disk only: up to `bytes`, at least one. */
void write_spool_take(struct write_spool *s, size_t bytes);

/* smolder_replayed_profiles_total and smolder_spool_bytes, by the URL of the endpoint: the latter is the sum of all
 * spools of that URL, whose owners say how they changed. */
void write_spool_count_replayed(const char *endpoint);
void write_spool_count_bytes(const char *endpoint, size_t before, size_t now);
void write_spool_forget_bytes(const char *endpoint); /* if the sum is 0 */

/* As of the last change. */
struct spool_counts write_spool_counts(const struct write_spool *s);
/* Whether nothing is to be written or read. */
bool write_spool_is_idle(const struct write_spool *s);
