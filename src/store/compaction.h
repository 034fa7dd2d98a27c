/* What becomes of the journal: it is packed (store/pack.h), and blocks of hours that are over are sealed
 * (store/seal.h). A run goes through both, step by step; each step is read by one worker and written by another, which
 * is the one that writes pushes, so that neither waits for the other for long.
 */
#pragma once

#include "store/pack.h"
#include "store/seal.h"

struct compaction {
    struct seal_cursor seal;
    bool sealing; /* the journal is packed */
};
struct compaction_step {
    struct pack_step *pack; /* one of the two */
    struct seal_step *seal;
};

/* 1: the next step. 0: the run is over, and the next one begins anew. */
must_check int compaction_read(struct compaction *c, struct store_reader *r, int64_t now_s, struct compaction_step *ret,
                               struct err *err);
/* 1: written. 0: something has changed in between; nothing was written, and the run is over. */
must_check int compaction_write(struct compaction *c, struct db *db, const struct compaction_step *step,
                                struct err *err);
/* Profiles that it packs. */
size_t compaction_step_profiles(const struct compaction_step *step);
void compaction_step_done(struct compaction_step *step);
