#include "pprof/diff.h"

#include <errno.h>

#include "pprof/sample_profile.h"
#include "test.h"

enum { MAX = 1 << 20 };

struct pair {
    struct symbols a, b;
    struct profile after, before, diff;
};

static void pair_init(struct pair *p)
{
    symbols_init(&p->a, MAX);
    symbols_init(&p->b, MAX);
    symbols_string(&p->b, STR("so that numbers differ"));
    sample_profile(&p->after, &p->a);
    sample_profile(&p->before, &p->b);
    profile_init(&p->diff, &p->a);
}

static void pair_done(struct pair *p)
{
    profile_done(&p->after);
    profile_done(&p->before);
    profile_done(&p->diff);
    symbols_done(&p->a);
    symbols_done(&p->b);
}

static void signed_is_after_less_before(void)
{
    struct pair p;
    struct err err = {0};
    pair_init(&p);
    CHECK(profile_add(&p.after, p.after.samples[0].stack, 0, (int64_t[]){10, 1000}));
    p.after.duration_nanos = 7;
    CHECK_INT(profile_diff(&p.diff, &p.after, &p.before, PROFILE_DIFF_SIGNED, &err), 0);
    CHECK_INT(p.diff.type_count, 2);
    CHECK_INT(profile_values(&p.diff, 0)[0], 10);
    CHECK_INT(profile_values(&p.diff, 0)[1], 1000);
    CHECK_INT(p.diff.duration_nanos, 7); /* those of after */
    pair_done(&p);
}

static void sides_keep_both(void)
{
    struct pair p;
    struct err err = {0};
    pair_init(&p);
    CHECK(profile_add(&p.after, p.after.samples[0].stack, 0, (int64_t[]){10, 1000}));
    CHECK_INT(profile_diff(&p.diff, &p.after, &p.before, PROFILE_DIFF_SIDES, &err), 0);
    CHECK_INT(p.diff.type_count, 4);
    CHECK_INT(profile_values(&p.diff, 0)[0], 12);
    CHECK_INT(profile_values(&p.diff, 0)[1], 1300);
    CHECK_INT(profile_values(&p.diff, 0)[2], 2);
    CHECK_INT(profile_values(&p.diff, 0)[3], 300);
    pair_done(&p);
}

static void other_types_do_not_fit(void)
{
    struct pair p;
    struct err err = {0};
    pair_init(&p);
    struct profile other;
    profile_init(&other, &p.b);
    CHECK(profile_add_type(&other, STR("cpu"), STR("nanoseconds")));
    CHECK_INT(profile_diff(&p.diff, &p.after, &other, PROFILE_DIFF_SIGNED, &err), -EINVAL);
    CHECK(err.text[0]);
    profile_done(&other);
    pair_done(&p);
}

int main(void)
{
    RUN(signed_is_after_less_before);
    RUN(sides_keep_both);
    RUN(other_types_do_not_fit);
    return REPORT();
}
