/* A ZIP archive of texts in memory.
 *
 * Uses minizip (Debian: libminizip1), loaded for the call only to save memory. Blocks during compression: for workers.
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
