/* The functions of a flame graph: what each has of its own, and in all with what it calls.
 *
 * A stack counts once for a function, however often the function is on it. One owner, any thread.
 */
#pragma once

#include "pprof/flame.h"

struct function_sum {
    int64_t self, total;
};

/* Adds what is beneath `at`, that node included, to `sums`, which has an entry per name of the graph. Values are those
 * of `self` and `total`, by node; NULL: those of the graph. After flame_finish(). */
void flame_functions(const struct flame *f, uint32_t at, const int64_t *self, const int64_t *total,
                     struct function_sum *sums);
