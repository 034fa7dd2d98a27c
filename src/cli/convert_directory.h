/* Names of the profiles that `smolder convert` writes into a directory.
 *
 * A profile has its name whatever else there is, so that scripts find it, and a directory holds the profiles of one
 * conversion: those of an earlier one would look as if they belonged to it.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "base/err.h"
#include "pprof/set.h"

/* "process_cpu.pb.gz"; the sample types are part of the name where several profiles have that name ("memory_live"), or
 * it is not one of ours ("profile_samples_cpu"). To be freed. */
char *directory_file_name(const struct named_profile *n, bool gzip);

/* Does the directory hold profiles that are not among `names`, and not inputs? -EINVAL, and the error names one. Files
 * with names of another kind are nobody's business. */
must_check int directory_check(const char *path, const char *const *names, size_t n,
                               bool (*is_input)(const void *of, const char *path), const void *of, struct err *err);
