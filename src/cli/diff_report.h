/* The result of `smolder diff`: which changes are beyond their limits, as text, Markdown or JSON. */
#pragma once

#include <stdbool.h>

#include "base/buf.h"
#include "pprof/change.h"
#include "pprof/frame_pattern.h"

enum diff_format { DIFF_TEXT, DIFF_MARKDOWN, DIFF_JSON };

/* Growth beyond these exceeds; negative = no limit. */
struct diff_limits {
    double measures[CHANGE_MEASURES]; /* of a function's share, 0.01 = one percentage point */
    double whole;                     /* of all together, 0.1 = by a tenth */
    double sigma;                     /* and if it is more than so many standard deviations of noise */
};

struct diff_row {
    const struct function_change *function;
    enum change_measure measure;
    struct change_value change;
    bool exceeded; /* the limit, and the noise */
    bool noisy;    /* the limit, but not the noise */
};

struct diff_result {
    const struct change_table *table; /* borrowed, as are all texts */
    const char *names[CHANGE_SIDES];  /* of the inputs */
    const char *profile;
    struct str type, unit;
    struct diff_limits limits;
    bool per_second;
    struct change_value whole;
    bool whole_exceeded, whole_noisy;
    struct diff_row *rows; /* owned; what is exceeded first, then by the size of the change */
    size_t len, exceeded;  /* rows */
};

/* Judges all functions but those that `ignored` matches. The rest of `r` is there. To be done() afterwards. */
void diff_judge(struct diff_result *r, const struct frame_patterns *ignored);
/* Everything that is exceeded, and beside it at most `top` rows. */
void diff_put(const struct diff_result *r, enum diff_format format, size_t top, struct buf *out);
void diff_result_done(struct diff_result *r);
