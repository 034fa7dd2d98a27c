/* Searches a whole flame graph by function name, for the search box of the page, which has only the largest frames.
 *
 * A search is one of:
 *     text      part of a name, in upper or lower case
 *     "text"    the whole name
 *     /text/    a regular expression (RE2) that matches part of a name, in upper or lower case
 * A name is compared as it is and as people write it: java/lang/Thread.run also as java.lang.Thread.run, and without
 * the point that begins names of no class. Any thread.
 */
#pragma once

#include "base/err.h"
#include "pprof/flame.h"

/* What stacks beneath `at` have that contain a function searched for; each counts once. After flame_finish().
 * -EINVAL: the regular expression is not one. */
must_check int flame_search(const struct flame *f, uint32_t at, struct str search, int64_t *ret, struct err *err);
