/* The flags of `smolder convert` about what is seen: which samples and stacks, and how frames are called. */
#pragma once

#include "cli/flags.h"
#include "pprof/conversion_options.h"
#include "pprof/selection.h"
#include "pprof/view.h"

struct view_flags {
    struct flag_list include, exclude, threads, spans;
    const char *skip, *min_width, *states, *latency;
    bool lines, bci, dot, simple, classify, class_frames, reverse;
};

/* What of the flags is a view, with the patterns it borrows. */
struct view_choice {
    struct frame_patterns include, exclude, threads, spans;
    struct event_selection select;
    struct stack_view view;
};

/* What this requires of the conversion is set in its options, which borrow of the choice. `numbers`: the format has no
 * lines of its own, so that --lines puts them into names. -EINVAL names the flag. */
must_check int view_choose(const struct view_flags *f, bool numbers, struct conversion_options *o,
                           struct view_choice *ret, struct err *err);
void view_choice_done(struct view_choice *c);
/* Applies it to what was read; -ESRCH when nothing is left of it. */
must_check int view_set(const struct view_choice *c, struct profile_set *set, struct err *err);
