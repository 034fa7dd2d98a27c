/* Which names of frames or threads a user means.
 *
 * A pattern is the name as profiles have it, where a '*' at either end stands for any text (as async-profiler's include
 * and exclude), or a regular expression between slashes ("/^java.*Map/", POSIX extended), which matches anywhere. A
 * name of Java is met in both spellings: "java/util/HashMap.get" and "java.util.HashMap.get".
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "base/err.h"
#include "base/str.h"

struct frame_pattern;
struct frame_patterns {
    struct frame_pattern *items; /* owned */
    size_t len, cap;
};

/* The text is borrowed. -EINVAL: the regular expression is none, with the reason. */
must_check int frame_patterns_add(struct frame_patterns *p, const char *text, struct err *err);
/* Does any of them match? */
bool frame_patterns_match(const struct frame_patterns *p, struct str name);
void frame_patterns_done(struct frame_patterns *p);
#define cleanup_frame_patterns __attribute__((cleanup(frame_patterns_done)))

/* The first kind of pattern alone. */
bool frame_pattern_glob(struct str pattern, struct str name);
