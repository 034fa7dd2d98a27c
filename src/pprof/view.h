/* A profile as somebody wants to look at it: which stacks, which of their frames, how these are called.
 *
 * Everything is a rewriting of stacks, so that it holds in every output format. Values are added where stacks become
 * equal; none is lost but those of stacks that were not wanted.
 */
#pragma once

#include <stdbool.h>

#include "pprof/frame_pattern.h"
#include "pprof/set.h"
#include "pprof/view_names.h"

struct stack_view {
    /* A stack is kept if a frame matches `include`, or that is of no patterns, and no frame matches `exclude`. Names
     * are those before anything below. */
    const struct frame_patterns *include, *exclude; /* borrowed; NULL = no patterns */
    uint32_t skip;                                  /* frames left out at the root; the leaf always stays */
    struct view_naming naming;
    bool class_frames; /* the labels allocated_class and lock_class become the leaf */
    bool classify;     /* what a stack is about becomes the root: frame_category() */
    bool reverse;      /* the leaf is the root */
    /* Frames of a smaller part of the total, 0 to 1, are left out with all above them; what they have counts for the
     * frame below, and for "[small]" where there is none. */
    double min_share;
};

/* Is there anything to do? */
bool stack_view_changes(const struct stack_view *v);
/* Writes to `to`, which is fresh and shares the symbols of `from`. -E2BIG where symbols are full. */
must_check int stack_view_apply(struct profile *to, const struct profile *from, const struct stack_view *v,
                                struct err *err);
/* The same of all profiles of a set; those of which no sample is left are removed. */
must_check int stack_view_apply_all(struct profile_set *set, const struct stack_view *v, struct err *err);
