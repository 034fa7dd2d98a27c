/* One event at a time; what whole recordings become: test_events.c. */
#include "pprof/rules.h"

#include <math.h>

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

static void put_weight(struct chunk_builder *c, float weight)
{
    uint32_t bits;
    memcpy(&bits, &weight, sizeof bits);
    for (int shift = 24; shift >= 0; shift -= 8)
        chunk_byte(c, (uint8_t)(bits >> shift));
}

static struct chunk_builder of_datadog(float weight)
{
    char types[8192];
    snprintf(types, sizeof types, "%s%s", recording_types, recording_datadog_types);
    struct chunk_builder c = chunk_begin(types);
    for (uint64_t type = 201; type <= 202; type++) {
        chunk_event(&c, type);
        CHUNK_VARINTS(&c, 1, THREAD_MAIN, STACK_MAIN, STATE_RUNNABLE, 0, 3, 0xabc, 0);
        chunk_event_end(&c);
    }
    chunk_event(&c, 203);
    CHUNK_VARINTS(&c, 1, THREAD_MAIN, STACK_MAIN, 1, 48);
    put_weight(&c, weight);
    CHUNK_VARINTS(&c, 0, 0);
    chunk_event_end(&c);
    chunk_event(&c, 205);
    CHUNK_VARINTS(&c, 1, THREAD_MAIN, STACK_MAIN, 1, 26, 40);
    put_weight(&c, weight);
    CHUNK_VARINTS(&c, 0, 0);
    chunk_event_end(&c);
    recording_end(&c);
    return c;
}

static void check_datadog(float weight, size_t class, enum profile_kind kind, int64_t first, int64_t second)
{
    struct pass_fixture f;
    struct jfr_record e;
    pass_fixture_open(&f, of_datadog(weight), &(struct conversion_options){.event = "", .cpu_ns = 10, .wall_ns = 50});
    CHECK(pass_fixture_event(&f, class, &e));
    event_take(&f.pass, class, &e);
    CHECK_INT(pass_fixture_sum(&f, kind, 0), first);
    if (second)
        CHECK_INT(pass_fixture_sum(&f, kind, 1), second);
    f.pass.sign = -1;
    event_take(&f.pass, class, &e);
    CHECK_INT(pass_fixture_sum(&f, kind, 0), 0);
    CHECK_INT(f.c->samples[kind], 0);
    pass_fixture_done(&f);
}

static void datadogs_samples_have_weights(void)
{
    check_datadog(1, CLASS_DATADOG_CPU, KIND_CPU, 30, 0);
    check_datadog(1, CLASS_DATADOG_WALL, KIND_WALL, 150, 0);
    check_datadog(5461.75F, CLASS_DATADOG_ALLOC, KIND_ALLOC, 5462, 262164);
    check_datadog(6554.125F, CLASS_DATADOG_LIVE, KIND_LIVE, 6554, 262165);
}

/* Of what cannot be a weight, an object is itself. */
static void weights_may_be_anything(void)
{
    static const float weights[] = {0, -7, 0.5F, NAN, INFINITY, -INFINITY};
    for (size_t i = 0; i < sizeof weights / sizeof *weights; i++)
        check_datadog(weights[i], CLASS_DATADOG_ALLOC, KIND_ALLOC, 1, 48);
    check_datadog(3e38F, CLASS_DATADOG_ALLOC, KIND_ALLOC, INT64_MAX, INT64_MAX);
}

static void batched_samples_count_each(void)
{
    struct jfr_record e = {0};
    e.v[SLOT_AMOUNT].num = 7;
    CHECK_INT(event_count(CLASS_WALL, &e), 7);
    CHECK_INT(event_count(CLASS_DATADOG_CPU, &e), 7);
    CHECK_INT(event_count(CLASS_DATADOG_ALLOC, &e), 1);
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
    RUN(datadogs_samples_have_weights);
    RUN(weights_may_be_anything);
    RUN(batched_samples_count_each);
    RUN(without_room_an_event_counts_under_other);
    return REPORT();
}
