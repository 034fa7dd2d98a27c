#include "pprof/conversion.h"

#include "pprof/converting.h"
#include "pprof/recording.h"
#include "test.h"

static void a_profile_has_its_types_once_it_is_begun(void)
{
    struct conversion *c = conversion_new(&(struct conversion_options){.event = "cpu", .cpu_ns = 10});
    CHECK_INT(c->profiles[KIND_LOCK].type_count, 0);
    CHECK(conversion_ready(c, KIND_LOCK));
    const struct profile *p = &c->profiles[KIND_LOCK];
    CHECK_INT(p->type_count, 2);
    CHECK(str_is(c->symbols.strings[p->types[0].type], "contentions"));
    CHECK(str_is(c->symbols.strings[p->types[1].unit], "nanoseconds"));
    CHECK(str_is(c->symbols.strings[p->period_type.type], "mutex"));
    CHECK(conversion_ready(c, KIND_LOCK));
    CHECK_INT(p->type_count, 2);
    conversion_free(c);
}

static void full_symbols_begin_none(void)
{
    struct conversion *c = conversion_new(&(struct conversion_options){.event = "cpu", .cpu_ns = 10});
    c->symbols.arena.max = c->symbols.arena.used;
    CHECK(!conversion_ready(c, KIND_LOCK));
    CHECK_INT(c->profiles[KIND_LOCK].type_count, 0);
    conversion_free(c);
}

static void a_range_is_either_end(void)
{
    static const struct {
        int64_t from, until;
        bool want;
    } cases[] = {{0, 0, false}, {5, 0, true}, {0, 5, true}, {5, 9, true}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct conversion *c = conversion_new(
            &(struct conversion_options){.event = "cpu", .from_ns = cases[i].from, .until_ns = cases[i].until});
        CHECK_INT(conversion_has_range(c), cases[i].want);
        conversion_free(c);
    }
}

/* One chunk that says what its samples stand for, where `event`, with five of them. */
static void add_recording(struct conversion *c, const char *event, const char *interval, int64_t start_ns)
{
    struct chunk_builder chunk = recording_begin();
    chunk.start_ns = start_ns;
    chunk.duration_ns = 10;
    if (event)
        recording_setting(&chunk, "event", event);
    if (interval)
        recording_setting(&chunk, "interval", interval);
    for (int i = 0; i < 5; i++)
        recording_execution(&chunk, STACK_MAIN, THREAD_MAIN, STATE_DEFAULT);
    recording_end(&chunk);
    convert(c, &chunk);
}

static void check_cpu(struct conversion *c, int64_t value, int64_t period)
{
    struct conversion_profile all[CONVERSION_PROFILES_MAX];
    CHECK_INT(conversion_profiles(c, all), 1);
    CHECK_STR(all[0].name, "process_cpu");
    CHECK_INT(profile_values(all[0].p, 0)[0], value);
    CHECK_INT(all[0].p->period, period);
}

static void what_a_recording_says_is_not_said_of_the_next(void)
{
    static const char *const orders[][2] = {{"1000", NULL}, {NULL, "1000"}};
    for (size_t i = 0; i < 2; i++) {
        struct conversion *c = conversion_new(&(struct conversion_options){.event = "cpu", .cpu_ns = 10});
        for (size_t k = 0; k < 2; k++) {
            conversion_next_recording(c);
            add_recording(c, orders[i][k] ? "itimer" : NULL, orders[i][k], 1000);
        }
        check_cpu(c, 5 * 1000 + 5 * 10, 1000); /* the longest period */
        conversion_free(c);
    }
    /* Of chunks in one file, the first tells for all of its session; those of another one begin with its event. */
    struct conversion *c = conversion_new(&(struct conversion_options){.event = "cpu", .cpu_ns = 10});
    add_recording(c, "itimer", "1000", 1000);
    add_recording(c, NULL, NULL, 1000);
    add_recording(c, "itimer", NULL, 1000);
    check_cpu(c, 5 * 1000 + 5 * 1000 + 5 * 10, 1000);
    conversion_free(c);
}

/* The JDK's recorder has all of its settings in every chunk. */
static void what_a_chunk_of_the_jdk_says_is_not_said_of_the_next(void)
{
    cleanup_free char *types = xasprintf("%s%s", recording_types, recording_jdk_types);
    for (int turned = 0; turned < 2; turned++) {
        struct conversion *c = conversion_new(&(struct conversion_options){.event = "", .cpu_ns = 10000000});
        for (int k = 0; k < 2; k++) {
            struct chunk_builder chunk = chunk_begin(types);
            if (k == turned) {
                chunk_event(&chunk, 108);
                CHUNK_VARINTS(&chunk, 0, 101);
                chunk_text(&chunk, "period");
                chunk_text(&chunk, "1 ms");
                chunk_event_end(&chunk);
            }
            recording_execution(&chunk, STACK_MAIN, THREAD_MAIN, STATE_RUNNABLE);
            recording_end(&chunk);
            convert(c, &chunk);
        }
        check_cpu(c, 11000000, 10000000);
        conversion_free(c);
    }
}

/* From the least start to the greatest end, in either order; of recordings that have such samples alone. */
static void a_profile_is_about_the_time_of_its_recordings(void)
{
    for (int turned = 0; turned < 2; turned++) {
        struct conversion *c = conversion_new(&(struct conversion_options){.event = "cpu", .cpu_ns = 10});
        struct chunk_builder chunk = recording_begin();
        add_recording(c, "cpu", "10", turned ? 5000 : 1000);
        conversion_next_recording(c);
        add_recording(c, "cpu", "10", turned ? 1000 : 5000);
        conversion_next_recording(c);
        chunk.start_ns = 9000;
        chunk.duration_ns = 7;
        recording_lock(&chunk, STACK_MAIN, THREAD_MAIN, 5);
        recording_end(&chunk);
        convert(c, &chunk);
        struct conversion_profile all[CONVERSION_PROFILES_MAX];
        CHECK_INT(conversion_profiles(c, all), 2);
        CHECK_STR(all[0].name, "mutex");
        CHECK_INT(all[0].p->time_nanos, 9000);
        CHECK_INT(all[0].p->duration_nanos, 7);
        CHECK_STR(all[1].name, "process_cpu");
        CHECK_INT(all[1].p->time_nanos, 1000);
        CHECK_INT(all[1].p->duration_nanos, 4010);
        CHECK_INT(conversion_start_ns(c), 1000);
        CHECK_INT(conversion_end_ns(c), 9007);
        conversion_free(c);
    }
}

int main(void)
{
    RUN(a_profile_has_its_types_once_it_is_begun);
    RUN(full_symbols_begin_none);
    RUN(a_range_is_either_end);
    RUN(what_a_recording_says_is_not_said_of_the_next);
    RUN(what_a_chunk_of_the_jdk_says_is_not_said_of_the_next);
    RUN(a_profile_is_about_the_time_of_its_recordings);
    return REPORT();
}
