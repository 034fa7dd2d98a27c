/* Which functions a user means, by their names. A text is one of:
 *
 *     text      part of a name, in upper or lower case
 *     "text"    the whole name; a '*' at either end stands for any text
 *     /text/    a regular expression (RE2) that matches part of a name, in upper or lower case
 *
 * A name is compared as it is and as people write it: java/lang/Thread.run also as java.lang.Thread.run, and without
 * the point that begins names of no class. Made and freed on the loop thread (flow/regex.h); any one thread may match.
 */
#pragma once

#include <stdbool.h>

#include "base/err.h"
#include "base/str.h"
#include "pprof/flame.h"

enum { NAME_MATCHES_MAX = 16 };

struct name_matches {
    struct regex **items; /* owned */
    size_t len, cap;
};

/* -EINVAL: the regular expression is not one, or there are too many. */
must_check int name_matches_add(struct name_matches *m, struct str text, struct err *err);
/* Any of them. */
bool name_matches(const struct name_matches *m, struct str name);
/* By name of the graph; names may be texts of store/frame_text.h. To be freed; NULL when nothing is meant. */
bool *name_matches_of(const struct name_matches *m, const struct flame *f);
void name_matches_done(struct name_matches *m);
