/* Reads the inputs of `smolder convert` into a profile set: recordings chunk by chunk, pprof as it is.
 *
 * All recordings share one conversion, so that equal stacks merge. Damaged chunks are reported on standard error and
 * counted; the rest is kept. Shows progress if standard error is a terminal.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>
#include <sys/stat.h>

#include "cli/convert_files.h"
#include "pprof/from_jfr.h"
#include "pprof/set.h"

struct read_options {
    struct conversion_options conversion;
    uint64_t inflated_max; /* bytes that one gzip input may become */
    const char *labels;    /* a LabelsSnapshot, "" = none */
    unsigned jobs;         /* chunks converted at once; 0 = as many as there are CPUs */
    bool quiet;            /* damaged places are not named one by one */
};

struct read_result {
    uint64_t chunks, bad; /* converted; stepped over, damaged gzip included */
    uint64_t left_out;    /* inputs of which nothing can be read */
    char *unknown;        /* events that look like samples: "9 of datadog.ExceptionSample"; NULL = none; owned */
    struct stat *inputs;  /* of every input: what must not be written to; owned */
    size_t input_count;
};

/* The error says which input cannot be used at all, and why. Damage is no error as long as something is left; neither
 * is one of several inputs that is empty, cut or of another kind, or cannot be opened where nobody named it. -EINVAL:
 * a part of the time is asked for of an input that has no times of events. */
must_check int read_inputs(const struct file_list *files, const struct read_options *o, struct profile_set *set,
                           struct read_result *ret, struct err *err);
void read_result_done(struct read_result *r);
