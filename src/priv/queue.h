/* Selects the next call: round-robin among users, so that a user with many or hanging calls only delays their own.
 *
 * At most QUEUE_BUSY calls run at once, at most QUEUE_USER_BUSY of one user. A call that has been running for long is
 * marked slow: it probably hangs and uses no CPU, so it makes room for the next. QUEUE_ALL limits all running calls,
 * including slow ones and those whose process is stuck in the kernel; of these a user gets at most half of what is
 * left, which leaves room for others.
 * A user is any number; 0 is the agent itself, which is not subject to the limits per user.
 *
 * Bookkeeping only; one owner, one thread.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/list.h"

enum { QUEUE_BUSY = 8, QUEUE_USER_BUSY = 6, QUEUE_ALL = 64, QUEUE_BUCKETS = 64 };

enum queue_state { QUEUE_NEW, QUEUE_WAITING, QUEUE_RUNNING, QUEUE_SLOW, QUEUE_STUCK };

struct queue_user; /* private */

/* Lies inside what waits; zero it first. */
struct queue_item {
    struct list node; /* private */
    struct queue_user *user;
    enum queue_state state;
};

struct queue {
    struct list buckets[QUEUE_BUCKETS]; /* users, by number */
    struct list turns;                  /* users with waiting calls; the first is next */
    size_t busy, all;                   /* running; those and slow and stuck ones */
};

void queue_init(struct queue *q);
/* Puts it behind all others of its user. */
void queue_add(struct queue *q, struct queue_item *item, uint64_t user);
/* The next one that may run, which counts as running from now on; NULL when none may. */
struct queue_item *queue_next(struct queue *q);
/* A running one takes too long. */
void queue_slow(struct queue *q, struct queue_item *item);
/* One that ran is over, but its process is not: it counts on. */
void queue_stuck(struct queue *q, struct queue_item *item);
/* It is over, or was never to run. */
void queue_remove(struct queue *q, struct queue_item *item);
/* True while anything waits. */
bool queue_has_waiting(const struct queue *q);
