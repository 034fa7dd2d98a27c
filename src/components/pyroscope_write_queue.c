#include "components/pyroscope_write_queue.h"

#include <stdlib.h>

#include "base/mem.h"

const char *push_drop_name(enum push_drop why)
{
    static const char *const names[] = {
        [PUSH_DROP_QUEUE_FULL] = "queue_full", [PUSH_DROP_TOO_OLD] = "too_old",
        [PUSH_DROP_REJECTED] = "rejected",     [PUSH_DROP_RETRIES] = "retries",
        [PUSH_DROP_SHUTDOWN] = "shutdown",     [PUSH_DROP_INVALID_LABELS] = "invalid_labels",
        [PUSH_DROP_SPOOL_FULL] = "spool_full",
    };
    return names[why];
}

void push_queue_init(struct push_queue *q, size_t max_bytes, int64_t max_age_ns,
                     void (*dropped)(void *ctx, const struct push_item *item, enum push_drop why), void *ctx)
{
    *q = (struct push_queue){.max_bytes = max_bytes, .max_age_ns = max_age_ns, .dropped = dropped, .ctx = ctx};
    list_init(&q->items);
}

static struct push_item *push_queue_oldest(struct push_queue *q)
{
    return list_empty(&q->items) ? NULL : list_entry(q->items.next, struct push_item, node);
}

static void push_queue_unlink_item(struct push_queue *q, struct push_item *item)
{
    list_del(&item->node);
    q->len--;
}

void push_queue_finish(struct push_queue *q, struct push_item *item)
{
    list_del(&item->node);
    q->bytes -= item->bytes;
    labels_unref(item->labels);
    encoded_profile_unref(item->profile);
    write_latency_unref(item->latency);
    free(item);
}

void push_queue_unload(struct push_queue *q, struct push_item *item)
{
    q->len--;
    push_queue_finish(q, item);
}

void push_queue_drop(struct push_queue *q, struct push_item *item, enum push_drop why)
{
    q->dropped(q->ctx, item, why);
    push_queue_finish(q, item);
}

void push_queue_drop_queued(struct push_queue *q, struct push_item *item, enum push_drop why)
{
    push_queue_unlink_item(q, item);
    push_queue_drop(q, item, why);
}

static void push_queue_drop_oldest(struct push_queue *q, enum push_drop why)
{
    push_queue_drop_queued(q, push_queue_oldest(q), why);
}

static struct push_item *push_item_new(const struct labels *labels, struct encoded_profile *p, int64_t since_ns,
                                       uint64_t number)
{
    struct push_item *item = xcalloc(1, sizeof *item);
    list_init(&item->node);
    item->labels = labels_ref(labels);
    item->profile = encoded_profile_ref(p);
    item->since_ns = since_ns;
    item->number = number;
    item->bytes = p->len + sizeof *item;
    return item;
}

struct push_item *push_queue_add(struct push_queue *q, const struct labels *labels, struct encoded_profile *p,
                                 int64_t now_ns)
{
    push_queue_expire(q, now_ns);
    struct push_item *item = push_item_new(labels, p, now_ns, q->next_number++);
    while (!list_empty(&q->items) && q->bytes + item->bytes > q->max_bytes)
        push_queue_drop_oldest(q, PUSH_DROP_QUEUE_FULL);
    q->bytes += item->bytes;
    if (q->bytes > q->max_bytes) {
        push_queue_drop(q, item, PUSH_DROP_QUEUE_FULL);
        return NULL;
    }
    list_push(&q->items, &item->node);
    q->len++;
    return item;
}

void push_queue_expire(struct push_queue *q, int64_t now_ns)
{
    for (struct push_item *item; (item = push_queue_oldest(q)) && now_ns - item->since_ns > q->max_age_ns;)
        push_queue_drop_oldest(q, PUSH_DROP_TOO_OLD);
}

static void push_queue_move(struct push_queue *q, struct push_item *item, struct list *batch)
{
    push_queue_unlink_item(q, item);
    list_push(batch, &item->node);
}

size_t push_queue_take(struct push_queue *q, int64_t now_ns, size_t most, size_t bytes, struct list *batch)
{
    push_queue_expire(q, now_ns);
    size_t n = 0, taken = 0;
    bool alone = false;
    for (struct list *at = q->items.next, *next; at != &q->items && n < most; at = next) {
        struct push_item *item = list_entry(at, struct push_item, node);
        next = at->next;
        if (item->wait_until_ns > now_ns && !q->ignores_waits)
            continue;
        if (n && (alone || item->alone || taken + item->profile->len > bytes))
            break;
        alone = item->alone;
        taken += item->profile->len;
        push_queue_move(q, item, batch);
        n++;
    }
    return n;
}

size_t push_queue_take_probe(struct push_queue *q, int64_t now_ns, struct list *batch)
{
    push_queue_expire(q, now_ns);
    struct push_item *best = NULL;
    list_each(&q->items, node)
    {
        struct push_item *item = list_entry(node, struct push_item, node);
        if (!best || item->attempts < best->attempts)
            best = item;
    }
    if (best)
        push_queue_move(q, best, batch);
    return best != NULL;
}

int64_t push_queue_next_ns(const struct push_queue *q)
{
    int64_t next = INT64_MAX;
    list_each(&q->items, node)
    {
        const struct push_item *item = list_entry(node, struct push_item, node);
        if (item->wait_until_ns < next)
            next = item->wait_until_ns;
    }
    return q->ignores_waits && next != INT64_MAX ? 0 : next;
}

void push_queue_wake(struct push_queue *q)
{
    list_each(&q->items, node) list_entry(node, struct push_item, node)->wait_until_ns = 0;
}

bool push_queue_has_failed(const struct push_queue *q)
{
    list_each(&q->items, node)
    {
        if (list_entry(node, struct push_item, node)->attempts)
            return true;
    }
    return false;
}

void push_queue_put_back(struct push_queue *q, struct push_item *item)
{
    list_del(&item->node);
    struct list *before = q->items.next;
    while (before != &q->items && list_entry(before, struct push_item, node)->number <= item->number)
        before = before->next;
    list_push(before, &item->node); /* list_push puts in front of the node it gets */
    q->len++;
}

void push_queue_replace(struct push_queue *q, struct push_item *item, struct encoded_profile *const *with, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        struct push_item *part = push_item_new(item->labels, with[i], item->since_ns, item->number);
        part->latency = item->latency ? write_latency_ref(item->latency) : NULL;
        q->bytes += part->bytes;
        push_queue_put_back(q, part);
    }
    push_queue_finish(q, item);
}

void push_queue_relabel(struct push_item *item, struct labels *labels)
{
    labels_unref(item->labels);
    item->labels = labels;
}

size_t push_queue_clear(struct push_queue *q, enum push_drop why)
{
    size_t n = q->len;
    while (!list_empty(&q->items))
        push_queue_drop_oldest(q, why);
    return n;
}
