/* The flags --from and --to: points in time (cli/convert_time.h), or relative to what is converted: "10s" after its
 * beginning, "-5s" before its end. */
#pragma once

#include <stdbool.h>

#include "base/err.h"
#include "cli/convert_files.h"
#include "pprof/conversion_options.h"

/* Is it a duration, perhaps negative? Anything else is a point in time. */
bool range_is_relative(const char *text);
/* Sets those of the options' two times that are points in time. -EINVAL: not a time, one in 1970, an empty range. */
must_check int range_read(const char *from, const char *to, struct conversion_options *o, struct err *err);
/* Sets those of the options' two times that are relative; reads the headers of all chunks for that. The beginning is
 * that of the earliest recording, the end that of the latest. -EINVAL: standard input, of which nobody knows the end;
 * no recording among the files; a range without anything in it. Else as chunks_open(). */
must_check int range_resolve(const struct file_list *files, uint64_t inflated_max, const char *from, const char *to,
                             struct conversion_options *o, struct err *err);
/* -ESRCH: "app.jfr: no samples in 3 chunks from 10s". */
int range_no_samples(const char *path, uint64_t chunks, const char *from, const char *to, struct err *err);
