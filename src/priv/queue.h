/* Whose call runs next: turns among users, so that whoever has many calls, or calls that hang, holds up only those of his own.
 *
 * At most QUEUE_BUSY calls run at once, at most QUEUE_USER_BUSY of one user. One that has run for long is told to be slow: it hangs, most
 * likely, and costs nothing, so it makes room for the next. QUEUE_ALL bounds all that run, slow ones and those whose process is stuck in
 * the kernel included; of these a user gets no more than half of what is left, and so leaves room for others.
 * A user is any number; 0 is the agent itself, which is never held back by the share of one user.
 *
 * Pure bookkeeping; one owner, one thread.
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
