#include "graph/rank_queue.h"

#include <stdlib.h>

#include "base/mem.h"

void rank_queue_push(struct rank_queue *q, size_t rank)
{
    xgrow(&q->heap, &q->cap, q->len + 1, sizeof *q->heap);
    size_t i = q->len++;
    for (; i > 0 && q->heap[(i - 1) / 2] > rank; i = (i - 1) / 2)
        q->heap[i] = q->heap[(i - 1) / 2];
    q->heap[i] = rank;
}

bool rank_queue_pop(struct rank_queue *q, size_t *ret)
{
    if (q->len == 0)
        return false;
    *ret = q->heap[0];
    const size_t last = q->heap[--q->len];
    size_t i = 0;
    for (size_t child; (child = 2 * i + 1) < q->len; i = child) {
        if (child + 1 < q->len && q->heap[child + 1] < q->heap[child])
            child++;
        if (q->heap[child] >= last)
            break;
        q->heap[i] = q->heap[child];
    }
    q->heap[i] = last;
    return true;
}

void rank_queue_done(struct rank_queue *q)
{
    free(q->heap);
    *q = (struct rank_queue){0};
}
