/* "Did you mean": the known name most similar to an unknown one.
 *
 *     struct suggest s = suggest_for(name);
 *     for (…) suggest_try(&s, candidate);
 *     diag_error(ds, range, "no such thing \"%.*s\"" SUGGEST_FMT, STR_ARG(name), SUGGEST_ARG(s));
 *
 * Names are similar if their edit distance is at most two and at most half of the length; names of one or two letters
 * are never suggested.
 */
#pragma once

#include "base/str.h"

enum { SUGGEST_SLIPS_MAX = 2, SUGGEST_NAME_MIN = 3 };

struct suggest {
    struct str name, best; /* best.n == 0: nothing is close */
    unsigned least;
};

static inline struct suggest suggest_for(struct str name)
{
    return (struct suggest){.name = name, .least = SUGGEST_SLIPS_MAX + 1};
}

/* The first of several that are equally close wins. */
static inline void suggest_try(struct suggest *s, struct str candidate)
{
    if (s->name.n < SUGGEST_NAME_MIN)
        return;
    const unsigned slips = str_distance(s->name, candidate, SUGGEST_SLIPS_MAX);
    if (slips > 0 && slips < s->least && slips * 2 <= s->name.n + 1) {
        s->best = candidate;
        s->least = slips;
    }
}

/* As the end of a message; nothing when nothing is close. */
#define SUGGEST_FMT    "%s%.*s%s"
#define SUGGEST_ARG(s) (s).best.n ? ", did you mean \"" : "", STR_ARG((s).best), (s).best.n ? "\"?" : ""
