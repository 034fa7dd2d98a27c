#include "flow/origin.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/clock.h"
#include "base/mem.h"

struct profile_origin *profile_origin_new(void)
{
    struct profile_origin *o = xcalloc(1, sizeof *o);
    o->refs = 1;
    return o;
}

struct profile_origin *profile_origin_ref(struct profile_origin *o)
{
    o->refs++;
    return o;
}

void profile_origin_unref(struct profile_origin *o)
{
    if (o && --o->refs == 0)
        free(o);
}

void profile_origin_reject(struct profile_origin *o, const char *reason)
{
    if (!o)
        return;
    o->rejected++;
    o->rejected_ns = clock_ns();
    snprintf(o->rejection, sizeof o->rejection, "%s", reason);
}

void profile_origin_deliver(struct profile_origin *o)
{
    if (!o)
        return;
    o->delivered++;
    o->delivered_ns = clock_wall_ns();
}

void profile_origin_drop(struct profile_origin *o)
{
    if (o)
        o->dropped++;
}
