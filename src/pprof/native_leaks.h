/* Native memory that was allocated and not freed: what is left of malloc events once the free events are taken off.
 *
 * async-profiler samples malloc and writes every free. Events of one chunk come in no order, so that its mallocs are
 * gathered first, beside those of the chunks before, and its frees then taken off both; a block is live when its last
 * malloc is younger than its last free. What is freed is forgotten when room is needed. In a recording without any
 * free (option `nofree`) nothing can be said.
 */
#pragma once

#include <stdbool.h>

#include "pprof/profile.h"

enum { NATIVE_BLOCKS_MAX = 1 << 17 };

struct native_block;
struct native_leaks {
    struct native_block *blocks; /* owned */
    size_t len, cap;             /* cap is a power of two or 0 */
    size_t freed;                /* of len */
    size_t max; /* blocks that are kept: what comes then is not counted as live; 0 = NATIVE_BLOCKS_MAX */
    bool any_free;
};

/* Times in nanoseconds of the same clock for all chunks. */
void native_leaks_malloc(struct native_leaks *l, uint64_t address, int64_t time, uint32_t stack, uint32_t labels,
                         int64_t size);
void native_leaks_free(struct native_leaks *l, uint64_t address, int64_t time);
/* Adds what a chunk left, which is done and then empty. */
void native_leaks_settle(struct native_leaks *l, struct native_leaks *chunk);
/* Adds (1, size) per live block, in the order of time, so that the same recording gives the same profile in every
 * process; how many there were. Stacks and labels are the profile's. */
uint64_t native_leaks_report(const struct native_leaks *l, struct profile *p);
void native_leaks_done(struct native_leaks *l);
#define cleanup_native_leaks __attribute__((cleanup(native_leaks_done)))
