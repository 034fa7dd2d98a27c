/* Output files, written atomically: to temporary files beside them, then renamed.
 *
 * Several files are committed together: output_commit() renames all of them, output_done() without it leaves everything
 * unchanged. Other outputs (a pipe, a device, "-" for standard output) are written directly, to a terminal without
 * control sequences. Symlinks are followed.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "base/err.h"
#include "base/str.h"

struct output_file {
    char *path, *temporary; /* owned */
};
struct output {
    struct output_file *files;
    size_t len, cap;
    char *made; /* directory we made; owned */
};

/* The error names the path; -EINVAL: it is a file. Else -errno of the system. */
must_check int output_directory(struct output *o, const char *path, struct err *err);
must_check int output_write(struct output *o, const char *path, struct str bytes, struct err *err);
must_check int output_commit(struct output *o, struct err *err);
void output_done(struct output *o);
#define cleanup_output __attribute__((cleanup(output_done)))
