#include "pprof/side_walks.h"

#include "pprof/pass_fixture.h"

static struct chunk_builder begin(const char *more)
{
    char types[8192];
    snprintf(types, sizeof types, "%s%s", recording_types, more);
    return chunk_begin(types);
}

static void jdk_setting(struct chunk_builder *c, uint64_t of, const char *name, const char *value)
{
    chunk_event(c, 108);
    CHUNK_VARINTS(c, 0, of);
    chunk_text(c, name);
    chunk_text(c, value);
    chunk_event_end(c);
}

static void cpu_time_sample(struct chunk_builder *c)
{
    chunk_event(c, 151);
    CHUNK_VARINTS(c, 1, STACK_MAIN, THREAD_MAIN, 0, 10, 0);
    chunk_event_end(c);
}

/* The JDK's recorder writes its settings anywhere, and has two samplers. */
static void a_recording_of_the_jdk_is_known_and_its_settings_come_first(void)
{
    for (int both = 0; both < 2; both++) {
        struct chunk_builder c = begin(recording_jdk_types);
        recording_execution(&c, STACK_MAIN, THREAD_MAIN, STATE_DEFAULT);
        jdk_setting(&c, 101, "period", "20 ms");
        if (both)
            cpu_time_sample(&c);
        recording_end(&c);
        struct pass_fixture f;
        pass_fixture_open(&f, c, &(struct conversion_options){.event = "", .cpu_ns = 10});
        side_walks_prepare(&f.pass, &f.layout);
        CHECK(f.pass.jdk);
        CHECK_INT(f.c->settings.jdk_ns, 20000000);
        CHECK_INT(f.layout.of[CLASS_SETTING].id, JFR_EVENT_METADATA);
        CHECK_INT(f.layout.of[CLASS_EXECUTION].id, both ? JFR_EVENT_METADATA : 101);
        pass_fixture_done(&f);
    }
}

static void async_profilers_recording_is_left_as_it_is(void)
{
    struct chunk_builder c = begin(recording_more_types);
    recording_setting(&c, "event", "wall");
    recording_end(&c);
    struct pass_fixture f;
    pass_fixture_open(&f, c, &(struct conversion_options){.event = "cpu", .cpu_ns = 10});
    side_walks_prepare(&f.pass, &f.layout);
    CHECK(!f.pass.jdk);
    CHECK_STR(f.c->settings.event, "cpu"); /* in file order, by the main walk */
    CHECK(!f.pass.labelled);
    pass_fixture_done(&f);
}

/* Its intervals are in an event of their own; the reference knows none of it. */
static void datadogs_profiler_has_its_intervals(void)
{
    for (int compat = 0; compat < 2; compat++) {
        struct chunk_builder c = begin(recording_datadog_types);
        recording_setting(&c, "interval", "4724448"); /* of allocations */
        chunk_event(&c, 222);
        CHUNK_VARINTS(&c, 0, 0, THREAD_MAIN, 20, 50, 4724448);
        chunk_text(&c, "1.16.0");
        chunk_event_end(&c);
        recording_end(&c);
        struct pass_fixture f;
        pass_fixture_open(&f, c, &(struct conversion_options){.event = "", .cpu_ns = 10, .compat = compat});
        side_walks_prepare(&f.pass, &f.layout);
        CHECK_INT(f.c->settings.cpu_ns, compat ? 10 : 20000000);
        CHECK_INT(f.c->settings.wall_ns, compat ? 0 : 50000000);
        CHECK_INT(f.layout.of[CLASS_SETTING].id, compat ? 108 : JFR_EVENT_METADATA);
        CHECK_INT(f.layout.of[CLASS_DATADOG_CONFIG].id, JFR_EVENT_METADATA);
        pass_fixture_done(&f);
    }
}

static void leaks_are_settled_behind_a_chunk(void)
{
    enum { FREE = 121, KEPT = 0x2000, FREED = 0x1000 };
    struct chunk_builder c = begin(recording_more_types);
    chunk_event(&c, FREE);
    CHUNK_VARINTS(&c, 50, THREAD_MAIN, STACK_MAIN, FREED);
    chunk_event_end(&c);
    recording_end(&c);
    struct pass_fixture f;
    pass_fixture_open(&f, c, &(struct conversion_options){.event = "cpu", .cpu_ns = 10});
    const int64_t begun = pass_wall_ns(&f.pass, &(struct jfr_record){0});
    native_leaks_malloc(&f.mallocs, FREED, begun, 0, 0, 10);
    native_leaks_malloc(&f.mallocs, KEPT, begun, 0, 0, 20);
    f.c->events[CLASS_FREE].count = 1; /* as the main walk has it */
    side_walks_settle(&f.pass, &f.layout);
    CHECK_INT(f.mallocs.len, 0);
    CHECK_INT(f.c->leaks.len - f.c->leaks.freed, 1);
    CHECK(f.c->leaks.any_free);
    pass_fixture_done(&f);
}

int main(void)
{
    RUN(a_recording_of_the_jdk_is_known_and_its_settings_come_first);
    RUN(async_profilers_recording_is_left_as_it_is);
    RUN(datadogs_profiler_has_its_intervals);
    RUN(leaks_are_settled_behind_a_chunk);
    return REPORT();
}
