/* Reads one file as a whole: configurations, certificates, secrets, target lists.
 *
 * Every caller states a size limit. Errors are causes ("No such file or directory", "Permission denied: …" with a
 * remedy); the caller puts the path and its purpose in front:
 *
 *     code = conf_file_read(path, 64 << 10, CONF_REGULAR, &text, NULL, err);
 *     if (code < 0)
 *         return err_wrap(err, code, "read %s", path);
 *
 * Calls block as long as the file system does: call them in a worker thread, or on the loop during a load.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>
#include <time.h>

#include "base/buf.h"
#include "base/err.h"

enum conf_file_kind {
    CONF_REGULAR, /* files only */
    CONF_NO_WAIT, /* whatever has something to read now; of a FIFO nobody writes to, nothing */
    CONF_STREAM,  /* whatever can be read to an end, such as /dev/stdin, and waited for */
};

/* What tells one state of a file from another, by stat(2). All zero: there is none. */
struct conf_stamp {
    dev_t dev;
    ino_t ino;
    off_t size;
    struct timespec mtime;
};

/* Of what the path leads to now. */
struct conf_stamp conf_stamp_of(const char *path);
bool conf_stamp_equal(const struct conf_stamp *a, const struct conf_stamp *b);

/* Puts at most `max` bytes into *out, whose content and maximum it replaces; -EFBIG beyond. `ret` (may be NULL) is
 * the state that was read. On failure *out is empty. */
must_check int conf_file_read(const char *path, size_t max, enum conf_file_kind kind, struct buf *out,
                              struct conf_stamp *ret, struct err *err);
