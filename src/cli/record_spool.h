/* The chunks of a recording on their way to the output: an unlinked temporary file, which nothing leaves behind. */
#pragma once

#include <stdint.h>

#include "base/err.h"
#include "base/str.h"

struct spool {
    int fd; /* owned; -1 = none */
    uint64_t bytes, chunks;
    int64_t start_ns, end_ns; /* wall clock: begin of the first chunk, end of the last */
};
#define SPOOL_INIT ((struct spool){.fd = -1})

/* In the directory of `output`, so that a full disk is noticed before the end; for "-" in TMPDIR or /tmp. */
must_check int spool_open(struct spool *s, const char *output, struct err *err);
/* Appends one chunk as it is. */
must_check int spool_chunk(struct spool *s, struct str bytes, int64_t start_ns, int64_t end_ns, struct err *err);
void spool_done(struct spool *s);
#define cleanup_spool __attribute__((cleanup(spool_done)))
