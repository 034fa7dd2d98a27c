/* A ZIP archive from texts in memory.
 *
 * Made by minizip, which is loaded for the call and given back after it: nobody who does not ask for an archive pays
 * for it. Debian: libminizip1. Blocks while it compresses, so it is for workers.
 */
#pragma once

#include <stddef.h>

#include "base/buf.h"
#include "base/err.h"

struct zip_entry {
    char *name; /* "folder/file.txt" */
    struct buf text;
};

/* -ELIBACC: minizip is not installed, the error says how to get it. */
must_check int zip_make(const struct zip_entry *entries, size_t n, struct buf *out, struct err *err);
