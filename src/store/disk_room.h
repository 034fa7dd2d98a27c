/* Room that the store can still work with when the disk is full.
 *
 * Deleting needs room as well: in the write-ahead log, and for pages that the log holds and the database does not have
 * yet. So a file of DISK_ROOM_BYTES is kept in reserve while there is plenty. On a full disk it goes, the log is
 * emptied, and the database may not grow until there is plenty again: from then on pushes use the pages of deleted
 * profiles, and one that finds none fails before anything is written. A worker's, with the connection that writes.
 */
#pragma once

#include <stdbool.h>

#include "store/db.h"

enum { DISK_ROOM_BYTES = 6 << 20 }; /* the log as it grows by itself, and a batch of pushes */

struct disk_room {
    char *path;        /* of the reserve; NULL = in memory, where nothing is done */
    bool held, capped; /* the reserve is there; the database may not grow */
};

/* `database`: its path, NULL = in memory. */
void disk_room_init(struct disk_room *r, const char *database);
void disk_room_done(struct disk_room *r);
/* The disk is full. */
must_check int disk_room_use(struct disk_room *r, struct db *db, struct err *err);
/* Takes the reserve where there is twice as much, and lets the database grow. Else nothing changes. */
void disk_room_restore(struct disk_room *r, struct db *db);
/* Whether there is so much that others than pushes may take some. `database`: its path. */
bool disk_room_is_ample(const char *database);
