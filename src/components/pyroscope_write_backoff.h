/* Backoff after consecutive failures: uniform in [lo, hi), where lo starts at min, hi at 2 min, and both double until
 * hi reaches max (github.com/grafana/dskit/backoff, as used by pyroscope.write). Nanoseconds.
 */
#pragma once

#include <stdint.h>

struct push_backoff {
    int64_t min, max, lo, hi;
};

static inline int64_t push_backoff_twice(int64_t v, int64_t max)
{
    return v > max / 2 ? max : v * 2;
}

static inline void push_backoff_reset(struct push_backoff *b, int64_t min, int64_t max)
{
    *b = (struct push_backoff){.min = min, .max = max, .lo = min, .hi = push_backoff_twice(min, max)};
}

/* `where`: position in the range, 0 to 1. */
static inline int64_t push_backoff_next(struct push_backoff *b, double where)
{
    int64_t wait = b->lo + (int64_t)((double)(b->hi - b->lo) * where);
    if (b->hi < b->max) {
        b->lo = push_backoff_twice(b->lo, b->max);
        b->hi = push_backoff_twice(b->hi, b->max);
    }
    return wait;
}

/* The wait of a profile after its n-th failure, n from 1. */
static inline int64_t push_backoff_after(int64_t min, int64_t max, unsigned n, double where)
{
    struct push_backoff b;
    int64_t wait = min;
    push_backoff_reset(&b, min, max);
    for (unsigned i = 0; i < n && i < 64; i++)
        wait = push_backoff_next(&b, where);
    return wait;
}
