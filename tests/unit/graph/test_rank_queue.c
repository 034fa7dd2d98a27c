#include "graph/rank_queue.h"

#include "base/cleanup.h"
#include "test.h"

static void ranks_come_smallest_first(void)
{
    static const size_t pushed[] = {5, 1, 9, 1, 7, 0, 3, 8, 2, 6, 4};
    static const size_t want[] = {0, 1, 1, 2, 3, 4, 5, 6, 7, 8, 9};
    struct rank_queue q = {0};
    size_t rank = 0;
    for (size_t i = 0; i < ARRAY_LEN(pushed); i++)
        rank_queue_push(&q, pushed[i]);
    for (size_t i = 0; i < ARRAY_LEN(want); i++) {
        CHECK(rank_queue_pop(&q, &rank));
        CHECK_INT(rank, want[i]);
    }
    CHECK(!rank_queue_pop(&q, &rank));
    rank_queue_done(&q);
}

static void what_is_pushed_in_between_takes_its_turn(void)
{
    struct rank_queue q = {0};
    size_t rank = 0;
    rank_queue_push(&q, 4);
    rank_queue_push(&q, 2);
    CHECK(rank_queue_pop(&q, &rank) && rank == 2);
    rank_queue_push(&q, 3);
    rank_queue_push(&q, 1);
    CHECK(rank_queue_pop(&q, &rank) && rank == 1);
    CHECK(rank_queue_pop(&q, &rank) && rank == 3);
    CHECK(rank_queue_pop(&q, &rank) && rank == 4);
    rank_queue_done(&q);
    CHECK_INT(q.len, 0);
}

int main(void)
{
    RUN(ranks_come_smallest_first);
    RUN(what_is_pushed_in_between_takes_its_turn);
    return REPORT();
}
