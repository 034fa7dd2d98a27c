/* The one file of a ZIP archive, read from its beginning: stored or deflated, as Java and others write it.
 *
 * Directories in front of it are passed over; a second file is an error, as both together would be neither. The archive
 * is not seeked in, so that it may come from a pipe: the central directory at its end is not read.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <zlib.h>

#include "base/err.h"

enum { UNZIP_HEADER = 30 };

struct unzip {
    enum unzip_part { UNZIP_AT_HEADER, UNZIP_AT_NAME, UNZIP_AT_DATA, UNZIP_BEHIND } part;
    uint8_t header[UNZIP_HEADER]; /* as far as it came */
    size_t held;
    uint64_t skip;     /* bytes of what is not looked at */
    uint64_t left;     /* bytes of a stored file */
    bool file;         /* the one file came */
    bool directory;    /* the entry at hand is one */
    uint8_t last_char; /* of the name */
    bool inflates, done;
    z_stream z;
};

/* Moves on in both as far as it gets; -EBADMSG damaged, -EILSEQ not an archive of one file that can be read. */
must_check int unzip_step(struct unzip *u, const uint8_t **in, size_t *in_len, uint8_t **out, size_t *out_len,
                          struct err *err);
void unzip_done(struct unzip *u);
