#include "pprof/spans.h"

#include <stdlib.h>

#include "base/mem.h"

/* Spans that lie in each other: beyond it the outer ones are not looked for. */
enum { DEPTH_MAX = 64, NO_PARENT = -1 };

struct span {
    uint64_t thread, start, end;
    uint32_t tag;
    int32_t parent; /* the span around this one */
};

void spans_add(struct spans *s, uint64_t thread, uint64_t start, uint64_t duration, uint32_t tag)
{
    uint64_t end;
    if (s->count == INT32_MAX || __builtin_add_overflow(start, duration, &end))
        return;
    if ((s->max && s->count == s->max) || !mem_grow(&s->items, &s->cap, s->count + 1, sizeof *s->items)) {
        s->left_out++;
        return;
    }
    s->items[s->count++] = (struct span){.thread = thread, .start = start, .end = end, .tag = tag};
}

/* An outer span in front of the inner ones. */
static int spans_by_start(const void *a_, const void *b_)
{
    const struct span *a = a_, *b = b_;
    if (a->thread != b->thread)
        return a->thread < b->thread ? -1 : 1;
    if (a->start != b->start)
        return a->start < b->start ? -1 : 1;
    return a->end == b->end ? 0 : a->end > b->end ? -1 : 1;
}

void spans_sort(struct spans *s)
{
    int32_t open = NO_PARENT;
    if (s->count == 0)
        return;
    qsort(s->items, s->count, sizeof *s->items, spans_by_start);
    for (size_t i = 0; i < s->count; i++) {
        struct span *at = &s->items[i];
        while (open != NO_PARENT && (s->items[open].thread != at->thread || s->items[open].end <= at->start))
            open = s->items[open].parent;
        at->parent = open;
        open = (int32_t)i;
    }
}

/* The last span of the thread that starts at or before `time`, or of an earlier thread; NO_PARENT where there is
 * none. */
static int32_t spans_last_started(const struct spans *s, uint64_t thread, uint64_t time)
{
    size_t low = 0, high = s->count;
    while (low < high) {
        size_t mid = low + (high - low) / 2;
        const struct span *m = &s->items[mid];
        if (m->thread < thread || (m->thread == thread && m->start <= time))
            low = mid + 1;
        else
            high = mid;
    }
    return (int32_t)low - 1;
}

uint32_t spans_at(const struct spans *s, uint64_t thread, uint64_t time)
{
    int32_t i = spans_last_started(s, thread, time);
    if (i < 0 || s->items[i].thread != thread)
        return 0;
    for (int depth = 0; i != NO_PARENT && depth < DEPTH_MAX; depth++) {
        if (time < s->items[i].end)
            return s->items[i].tag;
        i = s->items[i].parent;
    }
    return 0;
}

void spans_done(struct spans *s)
{
    free(s->items);
    *s = (struct spans){0};
}
