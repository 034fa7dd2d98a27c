#include "pprof/change.h"

#include <errno.h>
#include <math.h>

#include "base/cleanup.h"
#include "pprof/view_maker.h"

enum { NAMES_MAX = 1 << 20, SECOND = 1000000000 };

/* Values in samples of 10. */
static const struct view_stack before[] = {
    {{"leaf", "mid", "main"}, {0}, 300, NULL},
    {{"mid", "main"}, {0}, 100, NULL},
    {{"mid", "leaf", "mid", "main"}, {0}, 100, NULL},
    {{"main"}, {0}, 500, NULL},
    {{NULL}, {0}, 0, NULL},
};
static const struct view_stack after[] = {
    {{"leaf", "mid", "main"}, {0}, 1200, NULL},
    {{"main"}, {0}, 700, NULL},
    {{"fresh", "main"}, {0}, 100, NULL},
    {{NULL}, {0}, 0, NULL},
};

static void set_period(struct profile *p, int64_t period)
{
    p->period_type = p->types[0];
    p->period = period;
}

static void compare_in(struct change_table *t, int64_t period, int64_t seconds)
{
    cleanup_symbols struct symbols a, b;
    cleanup_profile struct profile base, new;
    struct err err = {0};
    symbols_init(&a, NAMES_MAX);
    symbols_init(&b, NAMES_MAX);
    (void)symbols_string(&b, STR("numbers differ"));
    view_profile(&base, &a, before);
    view_profile(&new, &b, after);
    set_period(&base, period);
    set_period(&new, period);
    base.duration_nanos = seconds * SECOND;
    new.duration_nanos = 2 * seconds *SECOND;
    change_table_init(t, NAMES_MAX);
    CHECK_INT(change_table_add(t, CHANGE_BASE, &base, 0, &err), 0);
    CHECK_INT(change_table_add(t, CHANGE_NEW, &new, 0, &err), 0);
    CHECK_STR(err.text, "");
}

static const struct function_change *function(const struct change_table *t, const char *name)
{
    for (size_t i = 0; i < t->len; i++) {
        if (str_is(t->names.strings[t->items[i].name], name))
            return &t->items[i];
    }
    CHECK_STR(name, "among the functions");
    return t->items;
}

static bool is_near(double got, double want)
{
    if (fabs(got - want) < 1e-9)
        return true;
    printf("  %.9f, want %.9f\n", got, want);
    return false;
}

static void a_function_has_what_its_stacks_have_once(void)
{
    cleanup_change_table struct change_table t;
    compare_in(&t, 10, 0);
    const struct function_change *mid = function(&t, "mid"), *leaf = function(&t, "leaf");
    CHECK(is_near(mid->of[CHANGE_TOTAL].value[CHANGE_BASE], 500));
    CHECK(is_near(mid->of[CHANGE_SELF].value[CHANGE_BASE], 200));
    CHECK(is_near(leaf->of[CHANGE_TOTAL].value[CHANGE_BASE], 400));
    CHECK(is_near(leaf->of[CHANGE_SELF].value[CHANGE_NEW], 1200));
    CHECK(is_near(function(&t, "fresh")->of[CHANGE_TOTAL].value[CHANGE_BASE], 0));
    CHECK(is_near(t.whole[CHANGE_BASE], 1000) && is_near(t.whole[CHANGE_NEW], 2000));
    CHECK(is_near(t.samples[CHANGE_BASE], 100) && is_near(t.samples[CHANGE_NEW], 200));
}

/* Of samples of one weight it is the binomial one. */
static void the_noise_is_that_of_as_many_samples(void)
{
    cleanup_change_table struct change_table t;
    compare_in(&t, 10, 0);
    const struct change_value c = function_change(&t, function(&t, "leaf"), CHANGE_SELF);
    CHECK(is_near(c.before, 0.3) && is_near(c.after, 0.6) && is_near(c.difference, 0.3));
    CHECK(is_near(c.noise, sqrt(0.3 * 0.7 / 100 + 0.6 * 0.4 / 200)));
    const struct change_value whole = function_change(&t, function(&t, "main"), CHANGE_TOTAL);
    CHECK(is_near(whole.difference, 0) && is_near(whole.noise, 0));
}

static void without_a_known_weight_every_stack_is_one_event(void)
{
    cleanup_change_table struct change_table t;
    compare_in(&t, 0, 0);
    CHECK(is_near(t.samples[CHANGE_BASE], 4));
    CHECK(is_near(t.variance[CHANGE_BASE], 300.0 * 300 + 100 * 100 + 100 * 100 + 500 * 500));
}

static void the_whole_is_compared_as_it_is_or_per_second(void)
{
    cleanup_change_table struct change_table t, untimed;
    compare_in(&t, 10, 5);
    CHECK(is_near(whole_change(&t, false).difference, 1));
    CHECK(is_near(whole_change(&t, false).noise, 2 * sqrt(1.0 / 100 + 1.0 / 200)));
    CHECK(is_near(whole_change(&t, true).difference, 0));
    CHECK(is_near(whole_change(&t, true).before, 200));
    compare_in(&untimed, 10, 0);
    CHECK(is_near(whole_change(&untimed, true).difference, 1));
}

/* Bytes are no events, but the column beside them counts those. */
static void a_column_that_counts_tells_the_events(void)
{
    cleanup_symbols struct symbols s;
    cleanup_profile struct profile p;
    cleanup_change_table struct change_table t;
    struct err err = {0};
    symbols_init(&s, NAMES_MAX);
    profile_init(&p, &s);
    CHECK(profile_add_type(&p, STR("objects"), STR("count")) && profile_add_type(&p, STR("space"), STR("bytes")));
    CHECK(profile_add(&p, view_stack_number(&s, &before[0]), 0, (int64_t[]){4, 400}));
    CHECK(profile_add(&p, view_stack_number(&s, &before[3]), 0, (int64_t[]){1, -5}));
    change_table_init(&t, NAMES_MAX);
    CHECK_INT(change_table_add(&t, CHANGE_BASE, &p, 1, &err), 0);
    CHECK_INT(change_table_add(&t, CHANGE_NEW, &p, 1, &err), 0);
    CHECK(is_near(t.samples[CHANGE_BASE], 4) && is_near(t.variance[CHANGE_BASE], 400.0 * 400 / 4));
    CHECK(is_near(function_change(&t, function(&t, "leaf"), CHANGE_SELF).difference, 0));
    change_table_done(&t);
    change_table_init(&t, NAMES_MAX);
    CHECK_INT(change_table_add(&t, CHANGE_BASE, &p, 0, &err), 0);
    CHECK(is_near(t.samples[CHANGE_BASE], 5));
}

/* Samples alone would say less: the runs of a side differ by more. */
static void several_runs_show_what_runs_differ_by(void)
{
    static const struct view_stack runs[][3] = {
        {{{"a"}, {0}, 4000, NULL}, {{"b"}, {0}, 6000, NULL}, {{NULL}, {0}, 0, NULL}},
        {{{"a"}, {0}, 6000, NULL}, {{"b"}, {0}, 4000, NULL}, {{NULL}, {0}, 0, NULL}},
        {{{"a"}, {0}, 10000, NULL}, {{"b"}, {0}, 10000, NULL}, {{NULL}, {0}, 0, NULL}},
    };
    static const size_t sides[] = {CHANGE_BASE, CHANGE_BASE, CHANGE_NEW};
    cleanup_change_table struct change_table t;
    struct err err = {0};
    change_table_init(&t, NAMES_MAX);
    for (size_t i = 0; i < ARRAY_LEN(runs); i++) {
        cleanup_symbols struct symbols s;
        cleanup_profile struct profile p;
        symbols_init(&s, NAMES_MAX);
        view_profile(&p, &s, runs[i]);
        set_period(&p, 1);
        CHECK_INT(change_table_add(&t, sides[i], &p, 0, &err), 0);
    }
    const struct change_value c = function_change(&t, function(&t, "a"), CHANGE_SELF);
    CHECK(is_near(c.difference, 0));
    CHECK(is_near(c.noise, sqrt(0.02 / 2 + 0.25 / 20000))); /* shares 0.4 and 0.6; 20000 samples */
    CHECK(is_near(whole_change(&t, false).difference, 1));  /* 20000 beside a mean of 10000 */
    CHECK_INT(change_table_add(&t, CHANGE_NEW, NULL, 0, &err), 0);
    CHECK(is_near(whole_change(&t, false).difference, 0));
    CHECK(whole_change(&t, false).noise > 0.9);
}

static void too_many_names_are_said(void)
{
    cleanup_symbols struct symbols s;
    cleanup_profile struct profile p;
    cleanup_change_table struct change_table t;
    struct err err = {0};
    symbols_init(&s, NAMES_MAX);
    view_profile(&p, &s, before);
    change_table_init(&t, 80);
    CHECK_INT(change_table_add(&t, CHANGE_BASE, &p, 0, &err), -E2BIG);
    CHECK_STR(err.text, "the profiles have too many names");
}

int main(void)
{
    RUN(a_function_has_what_its_stacks_have_once);
    RUN(the_noise_is_that_of_as_many_samples);
    RUN(without_a_known_weight_every_stack_is_one_event);
    RUN(the_whole_is_compared_as_it_is_or_per_second);
    RUN(a_column_that_counts_tells_the_events);
    RUN(several_runs_show_what_runs_differ_by);
    RUN(too_many_names_are_said);
    return REPORT();
}
