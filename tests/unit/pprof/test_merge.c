/* merge.c, diff.c, group.c and set.c: profiles put together and compared. */
#include "pprof/merge.h"

#include <errno.h>

#include "pprof/decode.h"
#include "pprof/diff.h"
#include "pprof/group.h"
#include "pprof/set.h"
#include "pprof/text.h"
#include "pprof_maker.h"
#include "test.h"

enum { MAX = 1 << 20 };

/* A profile that was written and read, with symbols of its own. */
struct read_profile {
    struct symbols symbols;
    struct profile p;
};

static void read_made(struct read_profile *r, const struct made_profile *m)
{
    struct buf bytes = make_profile(m);
    symbols_init(&r->symbols, MAX);
    CHECK_INT(pprof_decode(bytes.p, bytes.len, MAX, &r->symbols, &r->p, NULL), 0);
    buf_done(&bytes);
}

static void read_done(struct read_profile *r)
{
    profile_done(&r->p);
    symbols_done(&r->symbols);
}

static void check_text(const struct profile *p, const char *want)
{
    struct buf text = BUF_INIT(MAX);
    pprof_text(p, PPROF_TEXT_REFERENCE, &text);
    CHECK_STR(buf_cstr(&text), want);
    buf_done(&text);
}

static const struct made_sample morning[] = {{"main;work", {1, 10}, "t-1"}, {"main;rest", {2, 20}, NULL}};
static const struct made_sample evening[] = {
    {"main;work", {4, 40}, "t-1"}, {"main;work", {8, 80}, NULL}, {"new", {1, 1}, NULL}};
#define MADE(samples_, start)                                                                                          \
    {                                                                                                                  \
        .types = {{"objects", "count"}, {"space", "bytes"}}, .period = {"space", "bytes"}, .time_ns = (start),         \
        .duration_ns = 100, .samples = samples_, .n = sizeof(samples_) / sizeof((samples_)[0])                         \
    }

static void profiles_of_different_processes_add_up(void)
{
    struct read_profile a, b;
    struct err err = {0};
    cleanup_symbols struct symbols s;
    cleanup_profile struct profile sum;
    symbols_init(&s, MAX);
    profile_init(&sum, &s);
    read_made(&a, &(struct made_profile)MADE(morning, 2000));
    read_made(&b, &(struct made_profile)MADE(evening, 1000));
    CHECK_INT(profile_merge(&sum, &a.p, 1, &err), 0);
    CHECK_INT(profile_merge(&sum, &b.p, 1, &err), 0);
    read_done(&a);
    read_done(&b);
    check_text(&sum, "main:1;rest:1 [2 20]\nmain:1;work:1 [13 130]\nnew:1 [1 1]");
    CHECK_INT(sum.sample_count, 4); /* the thread tells two samples of one stack apart */
    CHECK_INT(s.function_count, 4);
    CHECK_INT(sum.time_nanos, 1000);
    CHECK_INT(sum.duration_nanos, 200);
    CHECK_INT(sum.period, 10000000);
}

static void the_same_symbols_need_no_translation(void)
{
    struct read_profile a;
    read_made(&a, &(struct made_profile)MADE(morning, 1));
    size_t strings = a.symbols.string_count;
    CHECK_INT(profile_merge(&a.p, &a.p, 2, NULL), 0);
    CHECK_INT(a.symbols.string_count, strings);
    check_text(&a.p, "main:1;rest:1 [6 60]\nmain:1;work:1 [3 30]");
    read_done(&a);
}

static void sample_types_may_come_in_another_order(void)
{
    struct read_profile a, b;
    read_made(&a, &(struct made_profile)MADE(morning, 1));
    read_made(&b, &(struct made_profile){.types = {{"space", "bytes"}, {"objects", "count"}},
                                         .samples = (const struct made_sample[]){{"main;rest", {7, 5}, NULL}},
                                         .n = 1});
    CHECK_INT(profile_merge(&a.p, &b.p, 1, NULL), 0);
    check_text(&a.p, "main:1;rest:1 [7 27]\nmain:1;work:1 [1 10]");
    read_done(&a);
    read_done(&b);
}

static void what_does_not_fit_is_refused_by_name(void)
{
    struct read_profile a, b, c;
    struct err err = {0};
    const struct made_sample one[] = {{"x", {1, 1}, NULL}};
    read_made(&a, &(struct made_profile)MADE(morning, 1));
    read_made(&b, &(struct made_profile){.types = {{"cpu", "nanoseconds"}}, .samples = one, .n = 1});
    read_made(&c,
              &(struct made_profile){.types = {{"objects", "count"}, {"space", "kilobytes"}}, .samples = one, .n = 1});
    CHECK_INT(profile_merge(&a.p, &b.p, 1, &err), -EINVAL);
    CHECK_HAS(err.text, "2 sample types here, 1 there");
    CHECK_INT(profile_merge(&a.p, &c.p, 1, &err), -EINVAL);
    CHECK_HAS(err.text, "space/kilobytes");
    check_text(&a.p, "main:1;rest:1 [2 20]\nmain:1;work:1 [1 10]");
    read_done(&a);
    read_done(&b);
    read_done(&c);
}

static void full_symbols_are_said(void)
{
    struct read_profile a;
    cleanup_symbols struct symbols tiny;
    cleanup_profile struct profile p;
    struct err err = {0};
    symbols_init(&tiny, 400);
    profile_init(&p, &tiny);
    read_made(&a, &(struct made_profile)MADE(morning, 1));
    CHECK_INT(profile_merge(&p, &a.p, 1, &err), -E2BIG);
    read_done(&a);
}

static void a_difference_is_signed_or_has_two_sides(void)
{
    struct read_profile before, after;
    read_made(&before, &(struct made_profile)MADE(morning, 1000));
    read_made(&after, &(struct made_profile)MADE(evening, 2000));
    cleanup_symbols struct symbols s;
    cleanup_profile struct profile sum, sides;
    symbols_init(&s, MAX);
    profile_init(&sum, &s);
    profile_init(&sides, &s);
    CHECK_INT(profile_diff(&sum, &after.p, &before.p, PROFILE_DIFF_SIGNED, NULL), 0);
    check_text(&sum, "main:1;rest:1 [-2 -20]\nmain:1;work:1 [11 110]\nnew:1 [1 1]");
    CHECK_INT(profile_diff(&sides, &after.p, &before.p, PROFILE_DIFF_SIDES, NULL), 0);
    check_text(&sides, "main:1;rest:1 [0 0 2 20]\nmain:1;work:1 [12 120 1 10]\nnew:1 [1 1 0 0]");
    CHECK_INT(sum.time_nanos, 2000);
    CHECK_INT(sides.duration_nanos, 100);
    read_done(&before);
    read_done(&after);
}

static void a_label_becomes_the_outermost_frame(void)
{
    struct read_profile a;
    cleanup_profile struct profile grouped;
    read_made(&a, &(struct made_profile)MADE(morning, 1));
    profile_init(&grouped, &a.symbols);
    CHECK_INT(profile_group(&grouped, &a.p, STR("thread"), NULL), 0);
    check_text(&grouped, "[t-1]:0;main:1;work:1 [1 10]\nmain:1;rest:1 [2 20]");
    CHECK_INT(grouped.duration_nanos, 100);
    profile_done(&grouped);
    read_done(&a);
    profile_init(&grouped, &a.symbols);
}

static void a_set_keeps_together_what_belongs_together(void)
{
    struct read_profile a, b, cpu;
    cleanup_profile_set struct profile_set set, old;
    profile_set_init(&set, MAX);
    profile_set_init(&old, MAX);
    read_made(&a, &(struct made_profile)MADE(morning, 1));
    read_made(&b, &(struct made_profile)MADE(evening, 1));
    read_made(&cpu, &(struct made_profile){.types = {{"cpu", "nanoseconds"}},
                                           .samples = (const struct made_sample[]){{"x", {1}, NULL}},
                                           .n = 1});
    CHECK_STR(profile_name(&cpu.p), "process_cpu");
    CHECK_STR(profile_name(&a.p), "profile");
    CHECK_INT(profile_set_add(&set, NULL, &cpu.p, NULL), 0);
    CHECK_INT(profile_set_add(&set, "memory", &a.p, NULL), 0);
    CHECK_INT(profile_set_add(&set, "memory", &b.p, NULL), 0);
    CHECK_INT(set.len, 2);
    CHECK_STR(set.items[0].metric, "memory:objects/count space/bytes");
    CHECK_INT(profile_column(&set.items[0].p, STR("space")), 1);
    CHECK_INT(profile_column(&set.items[0].p, STR("time")), -1);
    CHECK_INT(profile_set_add(&old, "memory", &a.p, NULL), 0);
    CHECK_INT(profile_set_add(&old, "wall", &cpu.p, NULL), 0);
    CHECK_INT(profile_set_compare(&set, &old, PROFILE_DIFF_SIGNED, NULL), 0);
    CHECK_INT(set.len, 3); /* what is gone shows, too */
    check_text(&set.items[0].p, "main:1;work:1 [12 120]\nnew:1 [1 1]");
    check_text(&set.items[1].p, "x:1 [1]");
    check_text(&set.items[2].p, "x:1 [-1]");
    read_done(&a);
    read_done(&b);
    read_done(&cpu);
}

int main(void)
{
    RUN(profiles_of_different_processes_add_up);
    RUN(the_same_symbols_need_no_translation);
    RUN(sample_types_may_come_in_another_order);
    RUN(what_does_not_fit_is_refused_by_name);
    RUN(full_symbols_are_said);
    RUN(a_difference_is_signed_or_has_two_sides);
    RUN(a_label_becomes_the_outermost_frame);
    RUN(a_set_keeps_together_what_belongs_together);
    return REPORT();
}
