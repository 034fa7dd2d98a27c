/* One event at a time; what whole recordings become: test_events.c. */
#include "pprof/rules.h"

#include "pprof/pass_fixture.h"

static struct chunk_builder of_each(void)
{
    struct chunk_builder c = recording_begin();
    recording_execution(&c, STACK_MAIN, THREAD_MAIN, STATE_DEFAULT);
    recording_wall(&c, STACK_WORK, THREAD_MAIN, STATE_RUNNABLE, 3);
    recording_outside(&c, STACK_MAIN, THREAD_MAIN, 64);
    recording_lock(&c, STACK_MAIN, THREAD_MAIN, 500);
    recording_malloc(&c, STACK_MAIN, THREAD_MAIN, 32);
    recording_end(&c);
    return c;
}

static const struct {
    size_t class;
    enum profile_kind kind;
    int64_t first, second; /* of the second there may be none */
} cases[] = {
    {CLASS_EXECUTION, KIND_CPU, 10, 0}, {CLASS_WALL, KIND_WALL, 150, 0},    {CLASS_TLAB_OUT, KIND_TLAB_OUT, 1, 64},
    {CLASS_LOCK, KIND_LOCK, 1, 500},    {CLASS_MALLOC, KIND_MALLOC, 1, 32},
};

static void each_event_adds_by_its_rule_and_is_taken_back_exactly(void)
{
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct pass_fixture f;
        struct jfr_record e;
        pass_fixture_open(&f, of_each(), &(struct conversion_options){.event = "cpu", .cpu_ns = 10, .wall_ns = 50});
        CHECK(pass_fixture_event(&f, cases[i].class, &e));
        event_take(&f.pass, cases[i].class, &e);
        CHECK_INT(pass_fixture_sum(&f, cases[i].kind, 0), cases[i].first);
        if (cases[i].second)
            CHECK_INT(pass_fixture_sum(&f, cases[i].kind, 1), cases[i].second);
        f.pass.sign = -1;
        event_take(&f.pass, cases[i].class, &e);
        CHECK_INT(pass_fixture_sum(&f, cases[i].kind, 0), 0);
        CHECK_INT(f.c->samples[cases[i].kind], 0);
        pass_fixture_done(&f);
    }
}

static void batched_samples_count_each(void)
{
    struct jfr_record e = {0};
    e.v[SLOT_AMOUNT].num = 7;
    CHECK_INT(event_count(CLASS_WALL, &e), 7);
    CHECK_INT(event_count(CLASS_EXECUTION, &e), 1);
    e.v[SLOT_AMOUNT].num = (uint64_t)-1;
    CHECK_INT(event_count(CLASS_WALL, &e), 0);
}

/* There always is a place to count it. */
static void without_room_an_event_counts_under_other(void)
{
    struct conversion_limits limits = conversion_limits_agent;
    limits.samples = 0;
    struct pass_fixture f;
    struct jfr_record e;
    pass_fixture_open(&f, of_each(), &(struct conversion_options){.event = "cpu", .cpu_ns = 10, .limits = &limits});
    CHECK(pass_fixture_event(&f, CLASS_EXECUTION, &e));
    event_take(&f.pass, CLASS_EXECUTION, &e);
    const struct profile *p = &f.c->profiles[KIND_CPU];
    CHECK_INT(p->sample_count, 1);
    CHECK_INT(p->samples[0].stack, f.c->other);
    CHECK_INT(pass_fixture_sum(&f, KIND_CPU, 0), 10);
    CHECK_INT(conversion_cuts(f.c)[CUT_MEMORY].count, 1);
    pass_fixture_done(&f);
}

int main(void)
{
    RUN(each_event_adds_by_its_rule_and_is_taken_back_exactly);
    RUN(batched_samples_count_each);
    RUN(without_room_an_event_counts_under_other);
    return REPORT();
}
