/* What is left of a damaged database, copied into the one that took its place.
 *
 * SQLite reads nothing below a damaged page; this does, and takes what it finds by table: series from the table or its
 * index, journal, blocks, slices. Every blob's checksum is compared. What lost its stacks alone keeps its times and
 * totals, and is left out of flame graphs as other damage is (store/query.h).
 *
 * Blocks and slices keep their numbers, series and bodies are found by their content, and profiles that were pushed
 * again meanwhile go from the journal when their slice arrives: so all of it can be done again after a crash, and
 * nothing is there twice. That holds as long as the new database packs nothing and keeps its series, which is for the
 * caller. A worker's, with the connection that writes.
 */
#pragma once

#include <stdint.h>

#include "base/err.h"
#include "store/db.h"

enum salvage_part { SALVAGE_PROFILES, SALVAGE_SERIES, SALVAGE_BLOCKS, SALVAGE_PARTS };
extern const char *const salvage_part_names[SALVAGE_PARTS]; /* "profile", "series", "block" */

/* Profiles are counted per series, as a query counts them. What is lost is known from rows that are damaged in part,
 * and from indices. */
struct salvage_counts {
    uint64_t recovered[SALVAGE_PARTS], lost[SALVAGE_PARTS];
    uint64_t bare; /* profiles of those recovered that have no stacks any more */
};

struct salvage;
/* `path`: of the damaged database, which is only read. */
must_check int salvage_open(const char *path, struct salvage **ret, struct err *err);
void salvage_close(struct salvage *s);
/* One transaction of some milliseconds. 1: another one follows. 0: that was all. Negative: it begins anew with the next
 * call; -ENOSPC and others of `db`. */
must_check int salvage_step(struct salvage *s, struct db *db, struct err *err);
const struct salvage_counts *salvage_counts(const struct salvage *s);
