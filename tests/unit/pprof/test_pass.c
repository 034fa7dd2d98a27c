#include "pprof/pass.h"

#include "pprof/pass_fixture.h"

static struct chunk_builder one_sample(void)
{
    struct chunk_builder c = recording_begin();
    recording_execution(&c, STACK_MAIN, THREAD_MAIN, STATE_DEFAULT);
    recording_end(&c);
    return c;
}

static void what_a_sample_counts_follows_the_settings(void)
{
    static const struct {
        struct conversion_options o;
        double scale;
        bool jdk;
        int64_t sample, scaled;
    } cases[] = {
        {{.event = "cpu", .cpu_ns = 100, .wall_ns = 500}, 0.9, false, 100, 100},
        {{.event = "itimer", .cpu_ns = 100}, 0.9, false, 100, 90},
        {{.event = "itimer", .cpu_ns = 100}, 1, false, 100, 100},
        {{.event = "itimer", .cpu_ns = 100}, 1e300, false, 100, INT64_MAX},
        {{.event = "wall", .cpu_ns = 100, .wall_ns = 500}, 0.9, false, 500, 500},
        {{.event = "itimer", .cpu_ns = 100}, 0.9, true, 100, 100}, /* the JDK's sampler is no timer */
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct pass_fixture f;
        pass_fixture_open(&f, one_sample(), &cases[i].o);
        conversion_itimer_scale(f.c, cases[i].scale);
        f.pass.jdk = cases[i].jdk;
        pass_settings_changed(&f.pass);
        CHECK_INT(f.pass.sample_ns, cases[i].sample);
        CHECK_INT(f.pass.scaled_ns, cases[i].scaled);
        pass_fixture_done(&f);
    }
}

static void the_time_of_a_chunk_is_bounded_but_not_taking_it_back(void)
{
    struct conversion_limits limits = conversion_limits_agent;
    limits.cpu_ns = 1;
    struct pass_fixture f;
    pass_fixture_open(&f, one_sample(), &(struct conversion_options){.event = "cpu", .cpu_ns = 10, .limits = &limits});
    f.pass.sign = -1;
    CHECK(!pass_look_at_clock(&f.pass));
    f.pass.sign = 1;
    for (int i = 0; i < 100000 && !pass_is_late(&f.pass); i++)
        ;
    CHECK(pass_is_late(&f.pass));
    pass_fixture_done(&f);

    limits.cpu_ns = 0; /* as long as it takes */
    pass_fixture_open(&f, one_sample(), &(struct conversion_options){.event = "cpu", .cpu_ns = 10, .limits = &limits});
    CHECK(!pass_look_at_clock(&f.pass));
    pass_fixture_done(&f);
}

static void cuts_are_taken_back_as_well(void)
{
    struct pass_fixture f;
    pass_fixture_open(&f, one_sample(), &(struct conversion_options){.event = "cpu", .cpu_ns = 10});
    pass_cut(&f.pass, CUT_LABELS, 5);
    f.pass.sign = -1;
    pass_cut(&f.pass, CUT_LABELS, 2);
    CHECK_INT(conversion_cuts(f.c)[CUT_LABELS].count, 3);
    pass_fixture_done(&f);
}

static void an_event_is_in_range_by_the_wall_clock(void)
{
    struct chunk_builder c = recording_begin();
    c.start_ns = 5000;
    c.start_ticks = 100;
    c.ticks_per_second = 500000000; /* two nanoseconds each */
    recording_end(&c);
    struct pass_fixture f;
    pass_fixture_open(&f, c,
                      &(struct conversion_options){.event = "cpu", .cpu_ns = 10, .from_ns = 5020, .until_ns = 5040});
    static const struct {
        uint64_t ticks;
        bool in;
    } cases[] = {{109, false}, {110, true}, {119, true}, {120, false}, {0, false}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct jfr_record e = {0};
        e.v[SLOT_TIME].num = cases[i].ticks;
        CHECK_INT(pass_in_range(&f.pass, &e), cases[i].in);
    }
    pass_fixture_done(&f);
}

int main(void)
{
    RUN(what_a_sample_counts_follows_the_settings);
    RUN(the_time_of_a_chunk_is_bounded_but_not_taking_it_back);
    RUN(cuts_are_taken_back_as_well);
    RUN(an_event_is_in_range_by_the_wall_clock);
    return REPORT();
}
