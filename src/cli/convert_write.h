/* Writes a profile set in the requested format, to files or standard output. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <sys/stat.h>

#include "base/err.h"
#include "pprof/set.h"
#include "ui/report.h"

enum write_format { WRITE_PPROF, WRITE_COLLAPSED, WRITE_HTML, WRITE_JSON, WRITE_TEXT, WRITE_OTLP };

struct write_options {
    const char *command; /* for messages; NULL = "smolder convert" */
    enum write_format format;
    const char *path;  /* "-" = standard output */
    const char *type;  /* named_profile_is(); "" = all there are */
    const char *title; /* of a page */
    struct report_look look;
    bool plain;                /* pprof is not compressed */
    bool numbered;             /* files of a directory have a number in front, as the reference's */
    bool compare;              /* the set is a comparison, with both sides in each profile unless the format is pprof */
    const struct stat *inputs; /* never written to */
    size_t input_count;
};

/* -ESRCH: no such type, or nothing to write; -EINVAL: the path does not fit what there is to write. Else the system's
 * reason. */
must_check int write_set(const struct profile_set *set, const struct write_options *o, struct err *err);
