/* Which profiles the store gives up: those that are too old, then the oldest while all take too much room, then the
 * oldest where the disk is full. What is packed goes block by block, an hour of a service at a time.
 *
 * In transactions of limited size, so that pushes get their turn in between; what is left is for the next sweep. A
 * worker's, with the connection that writes. Room means pages in use: those of deleted profiles are used again, and
 * given back to the file system a few at a time, but not while the disk is full.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"
#include "store/db.h"

/* On a full disk so much is made free at a time, but no more than a part of everything. */
enum { RETENTION_DISK_BYTES = 8 << 20, RETENTION_DISK_PART = 4 };

enum retention_reason { RETENTION_AGE, RETENTION_SIZE, RETENTION_DISK, RETENTION_REASONS };
extern const char *const retention_reason_names[RETENTION_REASONS]; /* "age", "size", "disk" */

struct retention {
    int64_t keep_seconds, keep_bytes;
    bool keep_series; /* also those without profiles: some are on their way (store/salvage.h) */
};
struct retention_result {
    uint64_t deleted[RETENTION_REASONS]; /* profiles as they were pushed */
    int64_t bytes;                       /* in use afterwards */
    int64_t oldest_ns;                   /* start of the oldest profile left; 0 = there is none */
    int64_t blocks;                      /* left */
};

/* `now_ns`: wall clock. `disk_full`: a push was refused for that. What was done before an error is in the result. */
must_check int retention_sweep(struct db *db, const struct retention *r, int64_t now_ns, bool disk_full,
                               struct retention_result *ret, struct err *err);
