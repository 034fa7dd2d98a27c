#include "flow/origin.h"

#include "base/clock.h"
#include "base/mem.h"
#include "flow/receiver.h"
#include "test.h"

static void a_profile_keeps_its_origin_and_the_last_rejection_counts(void)
{
    struct profile_origin *o = profile_origin_new();
    struct encoded_profile *p = encoded_profile_new((uint8_t *)xstrdup("x"), 1, 1, 0, 0);
    p->origin = profile_origin_ref(o);
    CHECK_STR(o->rejection, "");
    CHECK_INT(o->rejected_ns, 0);
    profile_origin_reject(p->origin, "too many labels");
    profile_origin_reject(p->origin, "too old");
    CHECK_INT(o->rejected, 2);
    CHECK_STR(o->rejection, "too old");
    CHECK(o->rejected_ns > 0 && o->rejected_ns <= clock_ns());
    CHECK_INT(o->refs, 2);
    encoded_profile_unref(p);
    CHECK_INT(o->refs, 1);
    profile_origin_unref(o);
    profile_origin_reject(NULL, "nobody asks");
}

static void deliveries_and_drops_are_counted(void)
{
    struct profile_origin *o = profile_origin_new();
    CHECK_INT(o->delivered_ns, 0);
    profile_origin_deliver(o);
    profile_origin_deliver(o);
    profile_origin_drop(o);
    CHECK_INT(o->delivered, 2);
    CHECK_INT(o->dropped, 1);
    CHECK(o->delivered_ns > 0 && o->delivered_ns <= clock_wall_ns());
    profile_origin_unref(o);
    profile_origin_deliver(NULL);
    profile_origin_drop(NULL);
}

int main(void)
{
    RUN(deliveries_and_drops_are_counted);
    RUN(a_profile_keeps_its_origin_and_the_last_rejection_counts);
    return REPORT();
}
