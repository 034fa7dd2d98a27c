/* Which stacks a profile keeps: the agent's `include` and `exclude`, which async-profiler applies to its text formats
 * but not to recordings.
 *
 * Patterns are those of async-profiler: the name of a frame as profiles have it ("java/util/HashMap.get",
 * "libc.so.6.read"), where a '*' at either end stands for any text. A stack is kept if a frame matches an include
 * pattern, or there is none, and no frame matches an exclude pattern.
 */
#pragma once

#include <stdbool.h>

#include "pprof/profile.h"

/* Bytes of all patterns together, one per line, with '+' (include) or '-' (exclude) before each, and a NUL. */
enum { STACK_FILTER_MAX = 512 };

/* Removes the samples of other stacks. `patterns` is such a text; "" keeps all. Nothing can be added to the profile
 * afterwards. */
void stack_filter_apply(const char *patterns, struct profile *p);
