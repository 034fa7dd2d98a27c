/* A ZIP archive in memory.
 *
 * Created with minizip, which is loaded per call and unloaded afterwards. Debian: libminizip1. Blocks during
 * compression: for workers.
 */
#pragma once

#include <stddef.h>

#include "base/buf.h"
#include "base/err.h"

struct zip_entry {
    char *name; /* "folder/file.txt" */
    struct buf text;
};

/* -ELIBACC: minizip is not installed; the error names the package. */
must_check int zip_make(const struct zip_entry *entries, size_t n, struct buf *out, struct err *err);
