/* Which events of a recording a conversion takes, by thread, by the thread's state, and by the traced method or
 * span of the thread that they lie in. Times are another matter (pass_in_range()).
 *
 * Ids of threads and states are a chunk's own, so that a selector lives as long as a pass over one.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/map.h"
#include "jfr/chunk.h"
#include "jfr/plan.h"
#include "pprof/frame_pattern.h"
#include "pprof/resolve.h"
#include "pprof/spans.h"

struct event_selection {
    const struct frame_patterns *threads; /* of their names; borrowed; NULL, or of no patterns = all threads */
    /* States with commas between, without regard to case, each perhaps cut short: "runnable", "sleep,park". "" or NULL
     * = all. Events that have no state are taken. */
    const char *states;
    /* Only what lies in a jdk.MethodTrace or profiler.Span of at least that; 0 = anything. What ends in a later chunk
     * is not seen. */
    int64_t latency_ns;
    const struct frame_patterns *spans; /* only what lies in a span with such a tag, of at least that; as `threads` */
};

struct selector {
    const struct event_selection *of; /* borrowed, as are the next two */
    struct resolver *r;
    const struct jfr_header *header;
    struct u64map threads, states; /* by id: whether it is taken */
    struct spans calls;            /* that took long enough, and are called so */
};
void selector_done(struct selector *s);
#define cleanup_selector __attribute__((cleanup(selector_done)))

/* What has to be read of events. NULL selects all. */
bool selection_has_threads(const struct event_selection *s);
bool selection_has_calls(const struct event_selection *s);
/* Whether there is anything to ask selector_keeps() for. */
bool selection_has_any(const struct event_selection *s);

/* A trace or span of the chunk, before any event is asked for; then spans_sort(&s->calls). */
void selector_add_call(struct selector *s, size_t class, const struct jfr_record *e);
bool selector_keeps(struct selector *s, size_t class, const struct jfr_record *e);
