/* Priority queue of topological ranks, smallest first: a binary heap.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

struct rank_queue {
    size_t *heap, len, cap;
};

void rank_queue_push(struct rank_queue *q, size_t rank);
bool rank_queue_pop(struct rank_queue *q, size_t *ret);
void rank_queue_done(struct rank_queue *q);
