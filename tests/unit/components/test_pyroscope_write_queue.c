#include "components/pyroscope_write_queue.h"

#include "base/mem.h"
#include "test.h"

enum { OVERHEAD = sizeof(struct push_item) };

struct losses {
    unsigned n[PUSH_DROP_INVALID_LABELS + 1];
    int64_t last_time;
};

static void count(void *ctx, const struct push_item *item, enum push_drop why)
{
    struct losses *l = ctx;
    l->n[why]++;
    l->last_time = item->profile->time_nanos;
}

static struct labels *some_labels(void)
{
    cleanup_labels_builder struct labels_builder b = LABELS_BUILDER_INIT;
    labels_set(&b, STR("__name__"), STR("process_cpu"));
    return labels_build(&b, false);
}

static void add(struct push_queue *q, size_t len, int64_t number, int64_t now)
{
    struct labels *ls = some_labels();
    struct encoded_profile *p = encoded_profile_new(xcalloc(1, len), len, 1, number, 0);
    push_queue_add(q, ls, p, now);
    encoded_profile_unref(p);
    labels_unref(ls);
}

static struct push_item *take(struct push_queue *q, int64_t now)
{
    struct list batch;
    list_init(&batch);
    if (!push_queue_take(q, now, 1, 0, &batch))
        return NULL;
    struct push_item *item = list_entry(batch.next, struct push_item, node);
    list_del(&item->node);
    return item;
}

static int64_t take_number(struct push_queue *q, int64_t now)
{
    struct push_item *item = take(q, now);
    int64_t number = item ? item->profile->time_nanos : -1;
    if (item)
        push_queue_finish(q, item);
    return number;
}

static void gives_the_oldest_first_and_then_nothing(void)
{
    struct losses l = {0};
    struct push_queue q;
    push_queue_init(&q, 1 << 20, 100, count, &l);
    for (int64_t i = 1; i <= 3; i++)
        add(&q, 10, i, i);
    CHECK_INT(q.len, 3);
    CHECK_INT(q.bytes, 3 * (10 + OVERHEAD));
    for (int64_t i = 1; i <= 3; i++)
        CHECK_INT(take_number(&q, 3), i);
    CHECK_INT(take_number(&q, 3), -1);
    CHECK_INT(q.bytes, 0);
}

static void drops_the_oldest_when_bytes_run_out(void)
{
    struct losses l = {0};
    struct push_queue q;
    push_queue_init(&q, 3 * (100 + OVERHEAD), 100, count, &l);
    for (int64_t i = 1; i <= 5; i++)
        add(&q, 100, i, 0);
    CHECK_INT(l.n[PUSH_DROP_QUEUE_FULL], 2);
    CHECK_INT(l.last_time, 2);
    CHECK_INT(q.len, 3);
    CHECK(q.bytes <= q.max_bytes);
    CHECK_INT(take_number(&q, 0), 3);
    push_queue_clear(&q, PUSH_DROP_SHUTDOWN);
}

static void a_profile_larger_than_the_queue_goes_itself(void)
{
    struct losses l = {0};
    struct push_queue q;
    push_queue_init(&q, 1000, 100, count, &l);
    add(&q, 5000, 1, 0);
    CHECK_INT(l.n[PUSH_DROP_QUEUE_FULL], 1);
    CHECK_INT(q.len, 0);
    CHECK_INT(q.bytes, 0);
}

static void what_is_taken_still_counts_and_is_never_dropped(void)
{
    struct losses l = {0};
    struct push_queue q;
    push_queue_init(&q, 2 * (100 + OVERHEAD), 100, count, &l);
    add(&q, 100, 1, 0);
    struct push_item *taken = take(&q, 0);
    add(&q, 100, 2, 0);
    add(&q, 100, 3, 0);
    CHECK_INT(l.n[PUSH_DROP_QUEUE_FULL], 1);
    CHECK_INT(l.last_time, 2);
    CHECK_INT(taken->profile->time_nanos, 1);
    push_queue_put_back(&q, taken);
    CHECK_INT(take_number(&q, 0), 1);
    CHECK_INT(take_number(&q, 0), 3);
}

static void puts_back_to_the_old_place(void)
{
    struct losses l = {0};
    struct push_queue q;
    push_queue_init(&q, 1 << 20, 100, count, &l);
    for (int64_t i = 1; i <= 4; i++)
        add(&q, 1, i, 0);
    struct push_item *first = take(&q, 0), *second = take(&q, 0);
    push_queue_put_back(&q, second);
    push_queue_put_back(&q, first);
    for (int64_t i = 1; i <= 4; i++)
        CHECK_INT(take_number(&q, 0), i);
}

static size_t batch_of(struct push_queue *q, size_t most, size_t bytes)
{
    struct list batch;
    list_init(&batch);
    size_t n = push_queue_take(q, 0, most, bytes, &batch), len = 0;
    while (!list_empty(&batch)) {
        push_queue_finish(q, list_entry(batch.next, struct push_item, node));
        len++;
    }
    CHECK_INT(len, n);
    return n;
}

static void batches_by_number_and_bytes(void)
{
    struct losses l = {0};
    struct push_queue q;
    push_queue_init(&q, 1 << 20, 100, count, &l);
    for (int64_t i = 1; i <= 8; i++)
        add(&q, 10, i, 0);
    CHECK_INT(batch_of(&q, 3, 1000), 3);
    CHECK_INT(batch_of(&q, 3, 29), 2);
    CHECK_INT(batch_of(&q, 3, 5), 1); /* larger than all room, but somebody has to take it */
    list_entry(q.items.prev, struct push_item, node)->alone = true;
    CHECK_INT(batch_of(&q, 3, 1000), 1);
    CHECK_INT(batch_of(&q, 3, 1000), 1);
    CHECK_INT(batch_of(&q, 3, 1000), 0);
    CHECK_INT(q.bytes, 0);
}

static void drops_what_is_too_old(void)
{
    struct losses l = {0};
    struct push_queue q;
    push_queue_init(&q, 1 << 20, 100, count, &l);
    add(&q, 1, 1, 0);
    add(&q, 1, 2, 50);
    push_queue_expire(&q, 100);
    CHECK_INT(q.len, 2);
    CHECK_INT(take_number(&q, 101), 2);
    CHECK_INT(l.n[PUSH_DROP_TOO_OLD], 1);
    add(&q, 1, 3, 200);
    add(&q, 1, 4, 301);
    CHECK_INT(q.len, 1);
    CHECK_INT(l.n[PUSH_DROP_TOO_OLD], 2);
    push_queue_clear(&q, PUSH_DROP_SHUTDOWN);
    CHECK_INT(l.n[PUSH_DROP_SHUTDOWN], 1);
}

static void shares_the_profile_and_lets_go_of_it(void)
{
    struct losses l = {0};
    struct push_queue a, b;
    push_queue_init(&a, 1 << 20, 100, count, &l);
    push_queue_init(&b, 1 << 20, 100, count, &l);
    struct labels *ls = some_labels();
    struct encoded_profile *p = encoded_profile_new(xcalloc(1, 8), 8, 1, 1, 1);
    push_queue_add(&a, ls, p, 0);
    push_queue_add(&b, ls, p, 0);
    CHECK_INT(p->refs, 3);
    CHECK_INT(push_queue_clear(&a, PUSH_DROP_SHUTDOWN), 1);
    push_queue_finish(&b, take(&b, 0));
    CHECK_INT(p->refs, 1);
    encoded_profile_unref(p);
    labels_unref(ls);
}

int main(void)
{
    RUN(gives_the_oldest_first_and_then_nothing);
    RUN(drops_the_oldest_when_bytes_run_out);
    RUN(a_profile_larger_than_the_queue_goes_itself);
    RUN(what_is_taken_still_counts_and_is_never_dropped);
    RUN(puts_back_to_the_old_place);
    RUN(batches_by_number_and_bytes);
    RUN(drops_what_is_too_old);
    RUN(shares_the_profile_and_lets_go_of_it);
    return REPORT();
}
