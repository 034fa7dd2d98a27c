/* Finds files by patterns with `**`, as github.com/bmatcuk/doublestar has them.
 *
 * `*` and `?` match within a part of a path, also a leading dot, `[…]` one character, `{a,b}` alternatives, and `**` as
 * a whole part any number of folders. Symbolic links are followed to files and in named parts, but not by `**`. Blocks:
 * in a worker.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <time.h>

enum { FILE_GLOB_MAX = 10000, FILE_GLOB_DEPTH = 64, FILE_GLOB_PATTERNS = 64 };

struct file_match {
    char *path; /* owned; absolute if the pattern is */
    time_t mtime;
};
struct file_matches {
    struct file_match *items; /* sorted by path, each once */
    size_t len, cap;
    bool too_many; /* there are more than FILE_GLOB_MAX */
};

void file_glob(const char *pattern, struct file_matches *ret);
bool file_glob_matches(const char *pattern, const char *path);
void file_matches_done(struct file_matches *m);
