/* The end of an object that may have work under way: whoever closes it hears when the last of it is done.
 *
 * A member of the object. Loop thread only. A call that returns true is the last one: the owner tells with
 * drain_tell(), then frees itself.
 */
#pragma once

#include <stdbool.h>

#include "base/err.h"

struct drain {
    unsigned under_way;
    bool closing;
    void (*closed)(void *arg);
    void *arg;
};

/* Work begins. */
static inline void drain_take(struct drain *d)
{
    d->under_way++;
}
/* It is done. True: it was the last, and the object is closing. */
must_check static inline bool drain_give(struct drain *d)
{
    d->under_way--;
    return d->closing && d->under_way == 0;
}
/* No more begins. `closed` may be NULL. True: none is under way. */
must_check static inline bool drain_close(struct drain *d, void (*closed)(void *arg), void *arg)
{
    d->closing = true;
    d->closed = closed;
    d->arg = arg;
    return d->under_way == 0;
}
static inline void drain_tell(const struct drain *d)
{
    if (d->closed)
        d->closed(d->arg);
}
