/* Whether the agent's user may write to the directory of a pyroscope.file: made for that user by root at the start, and
 * what to do where it may not.
 */
#pragma once

#include "base/err.h"
#include "os/account.h"

/* While this process is still root: makes a missing directory and gives it to the user that this process becomes.
 *
 * Only below a directory where nobody but root can put something in its place: one of root, writable by others only if
 * sticky, on a path without symbolic links. Everything else is left as it is, what exists included: then the user has
 * to be able to use it. Blocks on the file system. A negative errno where root fails, too. */
must_check int file_directory_make(const char *path, const struct host_user *user, struct err *err);

/* A failure to use the directory, `code`, with what to do about it. Returns `code`. */
int file_directory_error(const char *path, int code, struct err *err);
