/* Values divided into equal parts between the least and the largest, for heat maps. */
#pragma once

#include <stddef.h>
#include <stdint.h>

struct value_scale {
    int64_t least, most;
    size_t count;   /* of values */
    size_t columns; /* of parts */
};

static inline void value_scale_add(struct value_scale *s, int64_t value)
{
    s->least = s->count == 0 || value < s->least ? value : s->least;
    s->most = s->count == 0 || value > s->most ? value : s->most;
    s->count++;
}

/* Of one part. */
static inline double value_scale_width(const struct value_scale *s)
{
    return (s->most > s->least ? (double)s->most - (double)s->least : 1.0) / (double)s->columns;
}

/* Where a part begins when its edge is a whole number, as in Pyroscope. */
static inline int64_t value_scale_edge(const struct value_scale *s, size_t part)
{
    return s->least + (int64_t)((double)part * value_scale_width(s));
}

static inline size_t value_scale_column(const struct value_scale *s, int64_t value)
{
    const double column = ((double)value - (double)s->least) / value_scale_width(s);
    return column >= (double)s->columns ? s->columns - 1 : (size_t)column;
}

/* The last part whose edge is not above the value. */
static inline size_t value_scale_part(const struct value_scale *s, int64_t value)
{
    size_t part = value_scale_column(s, value);
    while (part + 1 < s->columns && value >= value_scale_edge(s, part + 1))
        part++;
    while (part > 0 && value < value_scale_edge(s, part))
        part--;
    return part;
}
