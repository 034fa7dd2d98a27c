/* The arguments of pyroscope.file. */
#pragma once

#include "flow/labels.h"
#include "lang/schema.h"

struct file_args {
    char *directory;
    struct string_list formats, name_labels;
    char *rotate_size, *max_size; /* "64MiB" */
    int64_t rotate_interval, max_age;
    int64_t max_files;
};

extern const struct schema file_schema;

/* Whether `formats` has "jfr" or "pprof". */
bool file_args_keep(const struct file_args *a, const char *format);
