#include "graph/rank_queue.h"

#include <stdint.h>
#include <stdlib.h>

#include "test.h"

static void nothing_comes_from_an_empty_one(void)
{
    struct rank_queue q = {0};
    size_t rank = 7;
    CHECK(!rank_queue_pop(&q, &rank));
    CHECK_INT(rank, 7);
    rank_queue_done(&q);
}

static void the_smallest_comes_first_whatever_the_order_of_arrival(void)
{
    static const size_t orders[][5] = {{0, 1, 2, 3, 4}, {4, 3, 2, 1, 0}, {2, 4, 0, 3, 1}, {1, 0, 4, 2, 3}};
    for (size_t i = 0; i < sizeof orders / sizeof *orders; i++) {
        struct rank_queue q = {0};
        size_t rank;
        for (size_t k = 0; k < 5; k++)
            rank_queue_push(&q, orders[i][k]);
        for (size_t want = 0; want < 5; want++) {
            CHECK(rank_queue_pop(&q, &rank));
            CHECK_INT(rank, want);
        }
        CHECK(!rank_queue_pop(&q, &rank));
        rank_queue_done(&q);
    }
}

static void equal_ranks_all_come(void)
{
    struct rank_queue q = {0};
    size_t rank, n = 0;
    for (int i = 0; i < 3; i++) {
        rank_queue_push(&q, SIZE_MAX);
        rank_queue_push(&q, 0);
    }
    while (rank_queue_pop(&q, &rank)) {
        CHECK(rank == (n < 3 ? 0 : SIZE_MAX));
        n++;
    }
    CHECK_INT(n, 6);
    rank_queue_done(&q);
}

/* Evaluating one marks others behind it: what is pushed is larger than what came last. */
static void what_is_pushed_meanwhile_comes_in_its_place(void)
{
    enum { RANKS = 10000 };
    struct rank_queue q = {0};
    size_t rank, last = 0, n = 0;
    uint32_t x = 1;
    rank_queue_push(&q, 0);
    while (rank_queue_pop(&q, &rank)) {
        if (rank < last)
            FAIL_("%zu comes after %zu", rank, last);
        last = rank;
        n++;
        for (int i = 0; i < 2 && rank < RANKS; i++) {
            x = x * 1664525 + 1013904223;
            rank_queue_push(&q, rank + 1 + x % (RANKS / 8));
        }
    }
    CHECK(n > 100);
    rank_queue_done(&q);
    CHECK(q.heap == NULL && q.len == 0);
}

int main(void)
{
    RUN(nothing_comes_from_an_empty_one);
    RUN(the_smallest_comes_first_whatever_the_order_of_arrival);
    RUN(equal_ranks_all_come);
    RUN(what_is_pushed_meanwhile_comes_in_its_place);
    return REPORT();
}
