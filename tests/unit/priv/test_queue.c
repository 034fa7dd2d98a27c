/* Turns among users; no process is started. */
#include "priv/queue.h"

#include "test.h"

enum { ITEMS = 2 * QUEUE_ALL };

static struct queue q;
static struct queue_item items[ITEMS];
static size_t added;

static void begin(void)
{
    queue_init(&q);
    memset(items, 0, sizeof items);
    added = 0;
}

static void end(void)
{
    for (size_t i = 0; i < added; i++)
        queue_remove(&q, &items[i]);
    CHECK_INT(q.all, 0);
    CHECK_INT(q.busy, 0);
    CHECK(!queue_has_waiting(&q));
    for (size_t i = 0; i < QUEUE_BUCKETS; i++)
        CHECK(list_empty(&q.buckets[i]));
}

static void add(uint64_t user, size_t n)
{
    for (size_t i = 0; i < n; i++)
        queue_add(&q, &items[added++], user);
}

/* The number of the next item; -1 = none may run. */
static long next(void)
{
    const struct queue_item *item = queue_next(&q);
    return item ? item - items : -1;
}

/* Takes what may run, all of which turns out to be slow; returns how many. */
static size_t run_slowly(void)
{
    size_t n = 0;
    for (struct queue_item *item; (item = queue_next(&q)); n++)
        queue_slow(&q, item);
    return n;
}

static void one_user_is_served_in_order(void)
{
    begin();
    add(1, 3);
    for (long i = 0; i < 3; i++)
        CHECK_INT(next(), i);
    CHECK_INT(next(), -1);
    end();
}

static void users_take_turns(void)
{
    begin();
    add(1, 20); /* 0 … */
    add(2, 1);  /* 20 */
    add(3, 2);  /* 21, 22 */
    static const long order[] = {0, 20, 21, 1, 22, 2};
    for (size_t i = 0; i < sizeof order / sizeof order[0]; i++)
        CHECK_INT(next(), order[i]);
    end();
}

static void one_user_leaves_room_for_another(void)
{
    begin();
    add(1, 20);
    for (size_t i = 0; i < QUEUE_USER_BUSY; i++)
        CHECK(next() >= 0);
    CHECK_INT(next(), -1);
    add(2, 1);
    CHECK_INT(next(), 20);
    end();
}

static void the_agent_itself_is_not_held_back(void)
{
    begin();
    add(0, QUEUE_BUSY + 1);
    for (size_t i = 0; i < QUEUE_BUSY; i++)
        CHECK(next() >= 0);
    CHECK_INT(next(), -1);
    end();
}

static void what_hangs_takes_half_of_what_is_left_and_no_more(void)
{
    begin();
    add(1, QUEUE_ALL);
    const size_t first = run_slowly();
    CHECK_INT(first, (QUEUE_ALL + 2) / 3);
    for (uint64_t user = 2; user < 14; user++) {
        add(user, 3);
        CHECK(run_slowly() > 0);
    }
    CHECK(q.all < QUEUE_ALL);
    end();
}

static void what_is_stuck_counts_until_it_is_over(void)
{
    begin();
    add(1, ITEMS / 2);
    const size_t most = run_slowly();
    for (size_t i = 0; i < most; i++)
        queue_stuck(&q, &items[i]);
    CHECK_INT(next(), -1);
    queue_remove(&q, &items[0]);
    queue_remove(&q, &items[1]);
    CHECK(next() >= 0);
    end();
}

static void what_never_ran_is_taken_back(void)
{
    begin();
    add(1, 3);
    queue_remove(&q, &items[1]);
    CHECK_INT(next(), 0);
    CHECK_INT(next(), 2);
    CHECK_INT(next(), -1);
    queue_remove(&q, &items[1]); /* once more is no harm */
    end();
}

int main(void)
{
    RUN(one_user_is_served_in_order);
    RUN(users_take_turns);
    RUN(one_user_leaves_room_for_another);
    RUN(the_agent_itself_is_not_held_back);
    RUN(what_hangs_takes_half_of_what_is_left_and_no_more);
    RUN(what_is_stuck_counts_until_it_is_over);
    RUN(what_never_ran_is_taken_back);
    return REPORT();
}
