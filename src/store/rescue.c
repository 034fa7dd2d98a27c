#include "store/rescue.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "base/mem.h"
#include "base/metric.h"
#include "store/aside.h"
#include "store/disk_room.h"

enum { RETRY_MS = 10 * 1000, WAIT_MS = 3600 * 1000 };

static struct metric_family salvaged_total = {
    .name = "smolder_store_salvaged_total",
    .help = "Profiles, series and blocks of damaged databases, by result: recovered, lost.",
    .kind = METRIC_COUNTER,
    .labels = {"part", "result"}};

void rescue_init(struct rescue *r, const char *path)
{
    *r = (struct rescue){.path = path};
}

void rescue_done(struct rescue *r)
{
    salvage_close(r->salvage);
    free(r->aside);
    rescue_init(r, r->path);
}

/* What was written is on the disk before it is forgotten that there is something to be copied. */
static void rescue_end(struct rescue *r, struct db *db, struct rescue_step *step)
{
    int64_t ignored;
    if (db_number(db, "PRAGMA wal_checkpoint(PASSIVE)", &ignored, &step->err) < 0)
        step->err = (struct err){0};
    aside_finish(r->path, r->aside);
    step->ended = true;
    step->more = true;
    step->aside = TAKE_PTR(r->aside);
    rescue_done(r);
}

static int rescue_work(struct rescue *r, struct db *db, struct rescue_step *step)
{
    if (!disk_room_is_ample(r->path))
        return err_set(&step->err, -ENOSPC, "no space is left on the device");
    const int code = r->salvage ? 0 : salvage_open(r->aside, &r->salvage, &step->err);
    if (code < 0) {
        step->given_up = true;
        return code;
    }
    return salvage_step(r->salvage, db, &step->err);
}

void rescue_step(struct rescue *r, struct db *db, struct rescue_step *ret)
{
    struct rescue_step step = {.begun_ms = clock_ms()};
    r->aside = r->aside ? r->aside : aside_first(r->path);
    if (r->aside) {
        const int code = rescue_work(r, db, &step);
        step.more = true;
        step.code = code < 0 ? code : 0;
        step.counts = r->salvage ? *salvage_counts(r->salvage) : (struct salvage_counts){0};
        if (code == -ENOSPC && r->waits_ms && step.begun_ms - r->waits_ms >= WAIT_MS)
            step.given_up = true;
        else if (code == -ENOSPC)
            r->waits_ms = r->waits_ms ? r->waits_ms : step.begun_ms;
        else if (code > 0)
            r->waits_ms = 0;
        if (code == 0 || step.given_up)
            rescue_end(r, db, &step);
    }
    step.took_ms = clock_ms() - step.begun_ms;
    *ret = step;
}

static void rescue_count(const struct salvage_counts *c)
{
    for (size_t i = 0; i < SALVAGE_PARTS; i++) {
        metric_add(&salvaged_total, (double)c->recovered[i], salvage_part_names[i], "recovered");
        metric_add(&salvaged_total, (double)c->lost[i], salvage_part_names[i], "lost");
    }
}

static void rescue_put_counts(const uint64_t n[SALVAGE_PARTS], struct buf *text)
{
    buf_printf(text, "%" PRIu64 " profiles, %" PRIu64 " series and %" PRIu64 " blocks", n[SALVAGE_PROFILES],
               n[SALVAGE_SERIES], n[SALVAGE_BLOCKS]);
}

static void rescue_put_end(const struct rescue_step *step, struct buf *text)
{
    const struct salvage_counts *c = &step->counts;
    buf_printf(text, "%s: recovered ", step->aside);
    rescue_put_counts(c->recovered, text);
    if (c->bare)
        buf_printf(text, " (%" PRIu64 " of the profiles without stacks)", c->bare);
    if (step->given_up) {
        buf_printf(text, "; gave up: %s", step->err.text);
    } else {
        buf_puts(text, ", lost ");
        rescue_put_counts(c->lost, text);
    }
    buf_puts(text, "; the file is kept as long as profiles are (--store.keep)");
}

int64_t rescue_after(struct rescue *r, struct rescue_step *step, struct buf *text)
{
    const bool waits = step->code < 0 && !step->ended;
    if (step->ended) {
        rescue_count(&step->counts);
        rescue_put_end(step, text);
    } else if (waits && !r->told) {
        buf_printf(text, "a damaged database is not copied yet: %s", step->err.text);
    }
    r->told = waits;
    free(TAKE_PTR(step->aside));
    return !step->more ? -1 : waits ? RETRY_MS : step->took_ms;
}
