/* The flags of `smolder convert` about what is seen: which stacks, how frames are called, how the page opens. */
#pragma once

#include "cli/flags.h"
#include "pprof/conversion_options.h"
#include "pprof/view.h"

struct view_flags {
    struct flag_list include, exclude;
    const char *skip, *min_width;
    bool lines, bci, dot, simple, classify, class_frames, reverse;
};

/* What of the flags is a view, with the patterns it borrows. */
struct view_choice {
    struct frame_patterns include, exclude;
    struct stack_view view;
};

/* What the view requires of the conversion is set in its options. `numbers`: the format has no lines of its own, so
 * that --lines puts them into names. -EINVAL names the flag. */
must_check int view_choose(const struct view_flags *f, bool numbers, struct conversion_options *o,
                           struct view_choice *ret, struct err *err);
void view_choice_done(struct view_choice *c);
/* Applies it to what was read; -ESRCH when nothing is left of it. */
must_check int view_set(const struct view_choice *c, struct profile_set *set, struct err *err);
