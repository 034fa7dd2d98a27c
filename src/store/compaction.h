/* What becomes of the journal: it is packed (store/pack.h), and blocks of hours that are over are sealed
 * (store/seal.h). A run goes through both, step by step; each step is read by one worker and written by another, which
 * is the one that writes pushes, so that neither waits for the other for long.
 */
#pragma once

#include "store/pack.h"
#include "store/seal.h"

/* Set aside one after the other, they are no longer thought to be the cause. */
enum { COMPACTION_ASIDE_MAX = 8 };

struct compaction {
    struct seal_cursor seal;
    bool sealing;   /* the journal is packed */
    unsigned aside; /* bodies that were set aside one after the other */
    bool stop;      /* so many that it is not for the bodies: one in each run */
};
struct compaction_step {
    struct pack_step *pack; /* one of the two */
    struct seal_step *seal;
};

/* 1: the next step. 0: the run is over, and the next one begins anew. -EIO: packing ends whatever process does it, and
 * goes on slowly, since what is set aside has lost its stacks. */
must_check int compaction_read(struct compaction *c, struct store_reader *r, int64_t now_s, struct compaction_step *ret,
                               struct err *err);
/* 1: written. 0: something has changed in between; nothing was written, and the run is over. */
must_check int compaction_write(struct compaction *c, struct db *db, const struct compaction_step *step,
                                struct err *err);
/* Profiles that it packs. */
size_t compaction_step_profiles(const struct compaction_step *step);
void compaction_step_done(struct compaction_step *step);
