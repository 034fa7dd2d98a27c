/* Recordings into a conversion, their chunks on all cores; whatever the number of cores, what comes out is the same, and
 * so is what is told, in the same order.
 *
 * Chunks are read ahead of their conversion. One that is refused when its turn comes may have had a wrong size: then the
 * reading goes back to it, and what was read ahead of this recording is forgotten.
 */
#pragma once

#include <stddef.h>

#include "base/err.h"
#include "cli/convert_chunks.h"

struct conversion;

/* Who hears of it, in the order of the inputs. */
struct recordings_listener {
    void *context;
    void (*on_chunk)(void *context);                   /* one was converted */
    void (*on_damage)(void *context, const char *why); /* one was refused, or a place stepped over */
    /* Nothing more comes of an input; code 0: all was read. `broke_off`: chunks may have come. Anything but 0 ends all
     * of it. */
    int (*on_end)(void *context, size_t input, bool broke_off, const struct err *why);
    void (*on_progress)(void *context, const struct chunks *c); /* something of it was read */
    void (*on_closed)(void *context, const struct chunks *c);   /* all of it was read */
};

struct recordings;

struct recordings *recordings_new(struct conversion *c, unsigned jobs, const struct recordings_listener *l);
void recordings_free(struct recordings *r);

/* Each returns what on_end returned, as inputs come to their end. */
/* `c` is taken over. */
must_check int recordings_read(struct recordings *r, size_t input, struct chunks *c);
/* Of this input nothing can be read. */
must_check int recordings_give_up(struct recordings *r, size_t input, const struct err *why);
/* All that was read is converted. */
must_check int recordings_finish(struct recordings *r);
