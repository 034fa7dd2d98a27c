/* Collapsed stacks, one a line: `root;…;leaf value`. For people, flame graph scripts, and tests.
 *
 * Lines are sorted bytewise by stack, equal stacks summed, stacks without any value left out; labels are ignored. Names
 * may be anybody's: what would end a frame or a line is written as "\x3b" or "\x0a", and what has no name is
 * "[unknown]"; but not in the reference's style.
 */
#pragma once

#include "base/buf.h"
#include "pprof/profile.h"

enum pprof_text_style {
    PPROF_TEXT_COLLAPSED, /* `frame;frame value`, the first sample type, each line ended by a newline */
    PPROF_TEXT_COMPARED,  /* `frame;frame before after`, the first two, as difffolded.pl writes them */
    /* `name:line;name:line [v1 v2]`, newlines only between lines: how the reference converter's expected files look;
     * lines have no sign there. */
    PPROF_TEXT_REFERENCE,
};

/* Appends; out->max bounds the size and buf_ok() tells. */
void pprof_text(const struct profile *p, enum pprof_text_style style, struct buf *out);
