#include "store/compaction.h"

#include <errno.h>

/* The next run begins anew; that bodies were set aside is remembered. */
static void compaction_end_run(struct compaction *c)
{
    *c = (struct compaction){.aside = c->aside};
}

static int compaction_pack(struct compaction *c, struct store_reader *r, struct pack_step **ret, struct err *err)
{
    if (c->stop)
        return err_set(err, -EIO, "it ended the parser for %u of them, one after the other", c->aside);
    const unsigned before = r->set_aside;
    const int code = pack_read(r, ret, err);
    if (code == 1) {
        c->aside = r->set_aside > before ? c->aside + r->set_aside - before : 0;
        c->stop = c->aside >= COMPACTION_ASIDE_MAX;
    }
    return code;
}

int compaction_read(struct compaction *c, struct store_reader *r, int64_t now_s, struct compaction_step *ret,
                    struct err *err)
{
    struct compaction_step step = {0};
    int code = c->sealing ? 0 : compaction_pack(c, r, &step.pack, err);
    if (code == 0) {
        c->sealing = true;
        code = seal_step_read(r, &c->seal, now_s, &step.seal, err);
    }
    if (code <= 0)
        compaction_end_run(c);
    else
        *ret = step;
    return code;
}

int compaction_write(struct compaction *c, struct db *db, const struct compaction_step *step, struct err *err)
{
    const int code = step->pack ? pack_write(db, step->pack, err) : seal_step_write(db, step->seal, err);
    if (code <= 0)
        compaction_end_run(c);
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
