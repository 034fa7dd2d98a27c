/* Databases that were moved aside (store/aside.h) are copied from, one after the other, in steps.
 *
 * rescue_step() is for the worker that writes, rescue_after() for the loop, by turns. While there is no room to spare
 * on the disk it waits, for an hour at most.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"
#include "store/db.h"
#include "store/salvage.h"

struct rescue {
    const char *path; /* of the database in use; borrowed */
    char *aside;      /* at hand; NULL = to be found */
    struct salvage *salvage;
    int64_t waits_ms; /* since when there is no room; 0 = there is */
    bool told;        /* that it waits */
};

struct rescue_step {
    int code;      /* 0, or why the step was not made */
    bool more;     /* another step follows, after the pause */
    bool ended;    /* with a database; its counts are final */
    bool given_up; /* it could not be read, or there was no room */
    int64_t begun_ms, took_ms;
    struct salvage_counts counts;
    struct err err;
    char *aside; /* the database that has ended; owned */
};

/* `path`: lives as long. */
void rescue_init(struct rescue *r, const char *path);
void rescue_done(struct rescue *r);
void rescue_step(struct rescue *r, struct db *db, struct rescue_step *ret);
/* The pause before the next step in ms, negative = there is none. Counts; what there is to be told is added to `text`.
 * The step is done with. */
int64_t rescue_after(struct rescue *r, struct rescue_step *step, struct buf *text);
