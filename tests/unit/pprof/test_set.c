#include "pprof/set.h"

#include <errno.h>

#include "pprof/sample_profile.h"
#include "test.h"

enum { MAX = 1 << 20 };

static void head(struct profile *p, struct symbols *s, const char *type, const char *period)
{
    profile_init(p, s);
    CHECK(profile_add_type(p, str_of(type), STR("count")));
    p->period_type.type = symbols_string(s, str_of(period));
}

static void a_profile_is_named_by_what_it_has(void)
{
    static const struct {
        const char *type, *period, *name;
    } cases[] = {
        {"cpu", "cpu", "process_cpu"},
        {"wall", "", "wall"},
        {"alloc_in_new_tlab_objects", "", "memory"},
        {"live", "", "memory"},
        {"malloc_objects", "", "memory"},
        {"contentions", "block", "block"},
        {"contentions", "mutex", "mutex"},
        {"goroutine", "", "profile"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        cleanup_symbols struct symbols s;
        cleanup_profile struct profile p;
        symbols_init(&s, MAX);
        head(&p, &s, cases[i].type, cases[i].period);
        CHECK_STR(profile_name(&p), cases[i].name);
        CHECK_INT(profile_column(&p, str_of(cases[i].type)), 0);
        CHECK_INT(profile_column(&p, STR("none")), -1);
    }
}

/* Every value has a name of its own, whatever else there is. */
static void a_text_names_a_profile_or_one_of_its_values(void)
{
    static const struct {
        const char *text;
        bool want;
        int column;
    } cases[] = {
        {"memory", true, -1},
        {"objects", true, 0},
        {"space", true, 1},
        {"memory:objects", true, 0},
        {"memory:space", true, 1},
        {"space/bytes", true, 1},
        {"memory:space/bytes", true, 1},
        {"memory:", false, -1},
        {":space", false, -1},
        {"mem", false, -1},
        {"mem:space", false, -1},
        {"space/count", false, -1},
        {"spac/bytes", false, -1},
        {"memory:cpu", false, -1},
        {"", false, -1},
    };
    cleanup_symbols struct symbols s;
    symbols_init(&s, MAX);
    struct named_profile n = {.name = (char[]){"memory"}};
    sample_profile(&n.p, &s);
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        int column;
        CHECK_INT(named_profile_is(&n, str_of(cases[i].text), &column), cases[i].want);
        CHECK_INT(column, cases[i].column);
    }
    profile_done(&n.p);
}

static void what_belongs_together_is_merged_and_the_rest_in_order(void)
{
    cleanup_profile_set struct profile_set set;
    cleanup_symbols struct symbols a, b;
    cleanup_profile struct profile first, second, other;
    struct err err = {0};
    profile_set_init(&set, MAX);
    symbols_init(&a, MAX);
    symbols_init(&b, MAX);
    sample_profile(&first, &a);
    symbols_string(&b, STR("so that numbers differ"));
    sample_profile(&second, &b);
    head(&other, &b, "cpu", "cpu");
    CHECK_INT(profile_set_add(&set, "zebra", &other, &err), 0);
    CHECK_INT(profile_set_add(&set, "memory", &first, &err), 0);
    CHECK_INT(profile_set_add(&set, "memory", &second, &err), 0);
    CHECK_STR(err.text, "");
    CHECK_INT(set.len, 2);
    CHECK_STR(set.items[0].name, "memory");
    CHECK_STR(set.items[1].name, "zebra");
    CHECK_INT(set.items[0].p.sample_count, 2);
    CHECK_INT(profile_values(&set.items[0].p, 0)[0], 4);
}

/* As recordings that are converted together: neither order nor gaps matter. */
static void the_time_is_from_the_least_start_to_the_greatest_end(void)
{
    enum { DAY = 86400 };
    static const struct {
        int64_t start[3], duration[3], want_start, want_duration;
    } cases[] = {
        {{3600, 100, 200}, {10, 10, 10}, 100, 3510},
        {{100, 200, 3600}, {10, 10, 10}, 100, 3510},
        {{100, 110, 120}, {10, 10, 10}, 100, 30},
        {{100, 120, 130}, {500, 10, 10}, 100, 500},
        {{100, 0, 200}, {10, DAY, 10}, 100, 110},
        {{0, 100, 0}, {DAY, 10, DAY}, 100, 10},
        {{0, 0, 0}, {10, 20, 30}, 0, 60},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        cleanup_profile_set struct profile_set set;
        cleanup_symbols struct symbols s;
        cleanup_profile struct profile p;
        profile_set_init(&set, MAX);
        symbols_init(&s, MAX);
        sample_profile(&p, &s);
        for (size_t k = 0; k < 3; k++) {
            p.time_nanos = cases[i].start[k];
            p.duration_nanos = cases[i].duration[k];
            CHECK_INT(profile_set_add(&set, "memory", &p, NULL), 0);
        }
        CHECK_INT(set.items[0].p.time_nanos, cases[i].want_start);
        CHECK_INT(set.items[0].p.duration_nanos, cases[i].want_duration);
    }
}

static void a_set_is_compared_profile_by_profile(void)
{
    cleanup_profile_set struct profile_set before, after;
    cleanup_symbols struct symbols s;
    cleanup_profile struct profile p, gone;
    struct err err = {0};
    profile_set_init(&before, MAX);
    profile_set_init(&after, MAX);
    symbols_init(&s, MAX);
    sample_profile(&p, &s);
    head(&gone, &s, "cpu", "cpu");
    CHECK_INT(profile_set_add(&before, NULL, &gone, &err), 0);
    CHECK_INT(profile_set_add(&before, "memory", &p, &err), 0);
    CHECK_INT(profile_set_add(&after, "memory", &p, &err), 0);
    CHECK_INT(profile_set_compare(&after, &before, PROFILE_DIFF_SIGNED, &err), 0);
    CHECK_STR(err.text, "");
    CHECK_INT(after.len, 2); /* one side of it is empty */
    const struct profile *same = &after.items[0].p;
    for (size_t i = 0; i < same->sample_count; i++)
        CHECK_INT(profile_values(same, i)[0], 0);
}

static void a_set_is_grouped_by_a_label(void)
{
    cleanup_profile_set struct profile_set set;
    cleanup_symbols struct symbols s;
    cleanup_profile struct profile p;
    struct err err = {0};
    profile_set_init(&set, MAX);
    symbols_init(&s, MAX);
    sample_profile(&p, &s);
    CHECK_INT(profile_set_add(&set, "memory", &p, &err), 0);
    CHECK_INT(profile_set_group(&set, STR("thread"), &err), 0);
    bool found = false;
    for (size_t i = 0; i < set.symbols.string_count; i++)
        found |= str_is(set.symbols.strings[i], "[main]");
    CHECK(found);
}

static void a_set_has_a_maximum(void)
{
    cleanup_profile_set struct profile_set set;
    cleanup_symbols struct symbols s;
    cleanup_profile struct profile p;
    struct err err = {0};
    profile_set_init(&set, 64);
    symbols_init(&s, MAX);
    sample_profile(&p, &s);
    CHECK_INT(profile_set_add(&set, "memory", &p, &err), -E2BIG);
    CHECK(err.text[0]);
}

static void the_labels_of_samples_are_listed(void)
{
    cleanup_profile_set struct profile_set set;
    cleanup_symbols struct symbols s;
    cleanup_profile struct profile p;
    cleanup_buf struct buf out = BUF_INIT(MAX);
    profile_set_init(&set, MAX);
    symbols_init(&s, MAX);
    sample_profile(&p, &s);
    const struct pprof_label two[] = {
        {.key = symbols_string(&s, STR("thread")), .str = symbols_string(&s, STR("other"))},
        {.key = symbols_string(&s, STR("bytes")), .num = 5},
    };
    CHECK(profile_add(&p, p.samples[0].stack, symbols_labels(&s, two, 2), (int64_t[]){1, 1}));
    CHECK_INT(profile_set_add(&set, "memory", &p, NULL), 0);
    profile_set_labels(&set, &out);
    CHECK_STR(buf_cstr(&out), "thread, bytes");
    CHECK(profile_set_has_label(&set, STR("bytes")));
    CHECK(!profile_set_has_label(&set, STR("main")));
}

int main(void)
{
    RUN(a_profile_is_named_by_what_it_has);
    RUN(a_text_names_a_profile_or_one_of_its_values);
    RUN(what_belongs_together_is_merged_and_the_rest_in_order);
    RUN(the_time_is_from_the_least_start_to_the_greatest_end);
    RUN(a_set_is_compared_profile_by_profile);
    RUN(a_set_is_grouped_by_a_label);
    RUN(a_set_has_a_maximum);
    RUN(the_labels_of_samples_are_listed);
    return REPORT();
}
