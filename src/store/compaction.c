#include "store/compaction.h"

int compaction_read(struct compaction *c, struct store_reader *r, int64_t now_s, struct compaction_step *ret,
                    struct err *err)
{
    struct compaction_step step = {0};
    int code = c->sealing ? 0 : pack_read(r, &step.pack, err);
    if (code == 0) {
        c->sealing = true;
        code = seal_step_read(r, &c->seal, now_s, &step.seal, err);
    }
    if (code <= 0)
        *c = (struct compaction){0};
    else
        *ret = step;
    return code;
}

int compaction_write(struct compaction *c, struct db *db, const struct compaction_step *step, struct err *err)
{
    const int code = step->pack ? pack_write(db, step->pack, err) : seal_step_write(db, step->seal, err);
    if (code <= 0)
        *c = (struct compaction){0};
    return code;
}

size_t compaction_step_profiles(const struct compaction_step *step)
{
    return step->pack ? pack_step_profiles(step->pack) : 0;
}

void compaction_step_done(struct compaction_step *step)
{
    pack_step_free(step->pack);
    seal_step_free(step->seal);
    *step = (struct compaction_step){0};
}
