/* Writes what was recorded in the format of the output's suffix.
 *
 * The recording is untrusted. Root converts it in a child process that has become the user nobody, without
 * capabilities; the command itself only copies bytes. Output files are written atomically (cli/convert_output.h).
 */
#pragma once

#include "base/err.h"
#include "cli/convert_write.h"
#include "cli/record_spool.h"

struct record_format {
    bool jfr; /* the recording as it is; else: */
    enum write_format format;
    bool plain; /* pprof is not compressed */
};
/* By the suffix of `path`, or by `name` ("html", "pprof", …) if that is not "". -EINVAL lists what there is. */
must_check int record_format_of(const char *path, const char *name, struct record_format *ret, struct err *err);

/* Returns an exit status (cli/command.h); a failure was reported by the child or is in *err. */
int record_write(const struct spool *s, const struct record_format *f, const char *path, const char *type,
                 const char *title, struct err *err);
