#include "priv/queue.h"

#include <stdlib.h>

#include "base/mem.h"

struct queue_user {
    struct list node;    /* in its bucket */
    struct list turn;    /* in queue.turns while something waits */
    struct list waiting; /* items */
    uint64_t number;
    size_t busy, all;
};

void queue_init(struct queue *q)
{
    *q = (struct queue){0};
    list_init(&q->turns);
    for (size_t i = 0; i < QUEUE_BUCKETS; i++)
        list_init(&q->buckets[i]);
}

static struct list *queue_bucket_of(struct queue *q, uint64_t number)
{
    return &q->buckets[(number ^ number >> 32) % QUEUE_BUCKETS];
}

static struct queue_user *queue_user_of(struct queue *q, uint64_t number)
{
    struct list *bucket = queue_bucket_of(q, number);
    list_each(bucket, node)
    {
        struct queue_user *u = list_entry(node, struct queue_user, node);
        if (u->number == number)
            return u;
    }
    struct queue_user *u = xcalloc(1, sizeof *u);
    u->number = number;
    list_push(bucket, &u->node);
    list_init(&u->turn);
    list_init(&u->waiting);
    return u;
}

static void forget_if_idle(struct queue_user *u)
{
    if (u->all || !list_empty(&u->waiting))
        return;
    list_del(&u->node);
    free(u);
}

void queue_add(struct queue *q, struct queue_item *item, uint64_t user)
{
    struct queue_user *u = queue_user_of(q, user);
    if (list_empty(&u->waiting))
        list_push(&q->turns, &u->turn);
    list_push(&u->waiting, &item->node);
    item->user = u;
    item->state = QUEUE_WAITING;
}

static bool may_run(const struct queue *q, const struct queue_user *u)
{
    return u->number == 0 || (u->busy < QUEUE_USER_BUSY && u->all < (QUEUE_ALL - q->all + 1) / 2);
}

static void queue_stop_waiting(struct queue_item *item)
{
    list_del(&item->node);
    if (list_empty(&item->user->waiting))
        list_del(&item->user->turn);
}

struct queue_item *queue_next(struct queue *q)
{
    if (q->busy >= QUEUE_BUSY || q->all >= QUEUE_ALL)
        return NULL;
    list_each(&q->turns, node)
    {
        struct queue_user *u = list_entry(node, struct queue_user, turn);
        if (!may_run(q, u))
            continue;
        struct queue_item *item = list_entry(u->waiting.next, struct queue_item, node);
        list_del(node);
        list_push(&q->turns, node); /* behind all others */
        queue_stop_waiting(item);
        item->state = QUEUE_RUNNING;
        q->busy++;
        q->all++;
        u->busy++;
        u->all++;
        return item;
    }
    return NULL;
}

static void leave_busy(struct queue *q, struct queue_item *item)
{
    if (item->state != QUEUE_RUNNING)
        return;
    q->busy--;
    item->user->busy--;
}

void queue_slow(struct queue *q, struct queue_item *item)
{
    leave_busy(q, item);
    item->state = QUEUE_SLOW;
}

void queue_stuck(struct queue *q, struct queue_item *item)
{
    leave_busy(q, item);
    item->state = QUEUE_STUCK;
}

void queue_remove(struct queue *q, struct queue_item *item)
{
    if (item->state == QUEUE_NEW)
        return;
    if (item->state == QUEUE_WAITING) {
        queue_stop_waiting(item);
    } else {
        leave_busy(q, item);
        q->all--;
        item->user->all--;
    }
    forget_if_idle(item->user);
    *item = (struct queue_item){0};
}

bool queue_has_waiting(const struct queue *q)
{
    return !list_empty(&q->turns);
}
