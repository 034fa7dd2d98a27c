/* Replaces a file atomically: readers see the old or the new content. */
#pragma once

#include "base/err.h"
#include "base/str.h"

/* Writes a file beside `path` and renames it over it; mode and owner stay those of the old file. A link is followed:
 * what it points to is replaced. The file must exist and be a regular one. On failure it is as it was, and nothing is
 * left beside it. */
must_check int replace_file(const char *path, struct str content, struct err *err);
