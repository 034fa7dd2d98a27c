/* The spans of a chunk: which of them, if any, a thread was in at a time.
 *
 * async-profiler writes a span when it ends, behind the samples taken in it, so that they are collected first. A span
 * that ends in a later chunk is not seen. Threads and times are a chunk's own numbers: thread ids and ticks. Source:
 * one.profiler.Span (async-profiler 4.5).
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

struct span;
struct spans {
    struct span *items; /* owned */
    size_t count, cap;
    size_t max, left_out; /* those beyond the first are only counted; 0 = no maximum */
};

/* Beyond `max`, and where there is no memory, spans are left out. `tag` is a string's number, not 0. */
void spans_add(struct spans *s, uint64_t thread, uint64_t start, uint64_t duration, uint32_t tag);
/* Between the last spans_add() and the first spans_at(). */
void spans_sort(struct spans *s);
/* Tag of the innermost span around that moment, 0 = none. */
uint32_t spans_at(const struct spans *s, uint64_t thread, uint64_t time);
void spans_done(struct spans *s);
#define cleanup_spans __attribute__((cleanup(spans_done)))
