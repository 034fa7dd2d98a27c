/* Maps a regular file that others may modify.
 *
 * Accessing a page beyond the end of a file that was truncated while mapped raises SIGBUS. Here such a page becomes
 * zeros, which every parser rejects, and the mapping reports it afterwards. The handler is installed with the first
 * mapping and forwards other faults to the previous handler. Pages are page cache: the kernel can drop them.
 *
 * Opened and closed by one thread at a time; read by any. Source: sigaction(2), mmap(2), BUS_ADRERR.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"

/* At once in the process. */
enum { MAPPED_MAX = 16 };

struct mapped {
    const uint8_t *p; /* read only */
    size_t n;
    int slot; /* private: -1 = nothing is mapped */
};
#define MAPPED_INIT ((struct mapped){.slot = -1})

/* `fd` stays the caller's and may be closed at once. -EINVAL for what is no regular file, -EMFILE beyond MAPPED_MAX. */
must_check int mapped_open(int fd, struct mapped *ret, struct err *err);
/* Some of what was read was not there: the file became shorter, or its storage failed. */
bool mapped_torn(const struct mapped *m);
/* The first `n` bytes were the last time needed: gives their pages back. */
void mapped_release(const struct mapped *m, size_t n);
void mapped_done(struct mapped *m);
#define cleanup_mapped __attribute__((cleanup(mapped_done)))
