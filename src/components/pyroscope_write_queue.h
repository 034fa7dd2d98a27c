/* The queue of one endpoint: oldest first, limited by bytes and age; the oldest entries are dropped.
 *
 * A profile that failed waits by itself, for a time of its own, so that it does not hold up others.
 *
 * Profiles and labels are shared with other queues by reference. Profiles being sent count in `bytes` until they are
 * finished or put back, so that the limit covers everything an endpoint keeps alive. Times are monotonic nanoseconds,
 * passed by the caller. Limits: 32 MiB and 10 minutes per endpoint; Pyroscope rejects profiles older than an hour.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/list.h"
#include "components/pyroscope_write_latency.h"
#include "flow/receiver.h"

enum push_drop {
    PUSH_DROP_QUEUE_FULL,
    PUSH_DROP_TOO_OLD,
    PUSH_DROP_REJECTED,
    PUSH_DROP_RETRIES,
    PUSH_DROP_SHUTDOWN,
    PUSH_DROP_INVALID_LABELS,
    PUSH_DROP_SPOOL_FULL,
};
/* As in smolder_dropped_profiles_total{reason}. */
const char *push_drop_name(enum push_drop why);

struct push_item {
    struct list node;
    struct labels *labels; /* one reference each */
    struct encoded_profile *profile;
    struct write_latency *latency; /* one reference, or NULL */
    struct spooled *copy;          /* on disk, or NULL; the sender's to give back before the profile leaves the queue */
    int64_t since_ns, wait_until_ns;
    uint64_t number; /* order of arrival */
    unsigned attempts;
    /* What counts against the profile: failed attempts while the endpoint took others, and those since `failed_ns` of
     * which that is not known yet. */
    unsigned judged, pending;
    int64_t failed_ns; /* the last failure; 0 = none */
    bool alone;        /* to be sent in a request of its own: a shared request failed */
    size_t bytes;
};

struct push_queue {
    struct list items; /* queued; struct push_item */
    size_t len;        /* queued */
    size_t bytes;      /* queued and being sent */
    size_t max_bytes;
    int64_t max_age_ns;
    bool ignores_waits; /* every queued profile may be taken */
    uint64_t next_number;
    /* Called for each dropped profile, before it is freed. */
    void (*dropped)(void *ctx, const struct push_item *item, enum push_drop why);
    void *ctx;
};

void push_queue_init(struct push_queue *q, size_t max_bytes, int64_t max_age_ns,
                     void (*dropped)(void *ctx, const struct push_item *item, enum push_drop why), void *ctx);
/* Takes new references. Drops the oldest profiles for space, or the new one if it exceeds the limit: then NULL. */
struct push_item *push_queue_add(struct push_queue *q, const struct labels *labels, struct encoded_profile *p,
                                 int64_t now_ns);
/* Drops profiles beyond the maximum age. */
void push_queue_expire(struct push_queue *q, int64_t now_ns);
/* Moves to `batch`, an empty list, the oldest profiles that may share a request: up to `most` profiles and `bytes` of
 * data, at least one if any is queued that need not wait. Each is returned with one of the functions below, which
 * remove it from the list. Returns the count. */
size_t push_queue_take(struct push_queue *q, int64_t now_ns, size_t most, size_t bytes, struct list *batch);
/* As above with one profile, whether it waits or not: the oldest of those with the fewest attempts, so that probes of
 * an endpoint do not all carry the same profile. */
size_t push_queue_take_probe(struct push_queue *q, int64_t now_ns, struct list *batch);
/* When the first of the waiting profiles may be taken, INT64_MAX if none waits; 0 if one need not wait. */
int64_t push_queue_next_ns(const struct push_queue *q);
/* Ends all waits. */
void push_queue_wake(struct push_queue *q);
/* Whether a profile is queued that has failed. */
bool push_queue_has_failed(const struct push_queue *q);
/* Returns the profile to its former position. */
void push_queue_put_back(struct push_queue *q, struct push_item *item);
/* Puts `n` others in its place, with its labels, number and age and no attempts. Takes new references. */
void push_queue_replace(struct push_queue *q, struct push_item *item, struct encoded_profile *const *with, size_t n);
/* Takes over the reference. */
void push_queue_relabel(struct push_item *item, struct labels *labels);
void push_queue_finish(struct push_queue *q, struct push_item *item);
void push_queue_drop(struct push_queue *q, struct push_item *item, enum push_drop why);
/* As above, of one that is queued. */
void push_queue_drop_queued(struct push_queue *q, struct push_item *item, enum push_drop why);
/* Forgets a queued profile, which is kept elsewhere. */
void push_queue_unload(struct push_queue *q, struct push_item *item);
/* Drops all queued profiles; returns the count. */
size_t push_queue_clear(struct push_queue *q, enum push_drop why);
