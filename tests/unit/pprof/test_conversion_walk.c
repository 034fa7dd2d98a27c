#include "pprof/conversion_walk.h"

#include "pprof/converting.h"
#include "pprof/recording.h"

static const struct conversion_options plain = {.event = "cpu", .cpu_ns = 10};

static int64_t cpu_of(struct conversion *c)
{
    struct conversion_profile all[CONVERSION_PROFILES_MAX];
    const size_t n = conversion_profiles(c, all);
    return n ? (int64_t)all[0].samples : 0;
}

static void a_chunk_is_added_whole_or_not_at_all(void)
{
    struct conversion *c = conversion_new(&plain);
    struct chunk_builder good = recording_begin(), bad = recording_begin();
    recording_execution(&good, STACK_MAIN, THREAD_MAIN, STATE_DEFAULT);
    recording_end(&good);
    convert(c, &good);
    recording_setting(&bad, "event", "wall");
    for (int i = 0; i < 5; i++)
        recording_execution(&bad, STACK_MAIN, THREAD_MAIN, STATE_DEFAULT);
    chunk_event(&bad, 101);
    chunk_byte(&bad, 0x80); /* a number that goes on beyond its event */
    chunk_event_end(&bad);
    recording_end(&bad);
    convert_bad(c, &bad, "is cut");
    CHECK_INT(cpu_of(c), 1);
    struct conversion_options seen = {0};
    conversion_settings(c, &seen);
    CHECK_STR(seen.event, "cpu"); /* what it said goes as well */
    conversion_free(c);
}

static void chunks_extend_the_span(void)
{
    struct conversion *c = conversion_new(&plain);
    for (int i = 0; i < 2; i++) {
        struct chunk_builder chunk = recording_begin();
        chunk.start_ns = 1000 * (i + 1);
        chunk.duration_ns = 500;
        recording_end(&chunk);
        convert(c, &chunk);
    }
    CHECK_INT(conversion_start_ns(c), 1000);
    CHECK_INT(conversion_end_ns(c), 2500);
    conversion_free(c);
}

static void impossible_times_give_way_to_when_it_came(void)
{
    const int64_t day = 86400000000000, now = 20000 * day;
    static const struct {
        int64_t start, duration, length;
    } cases[] = {{INT64_MAX - 5, 100, 0}, {0, 500, 500}, {5, INT64_MAX, 0}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct conversion *c = conversion_new(&plain);
        struct chunk_builder chunk = recording_begin();
        chunk.start_ns = cases[i].start;
        chunk.duration_ns = cases[i].duration;
        recording_end(&chunk);
        conversion_received(c, now);
        convert(c, &chunk);
        CHECK_INT(conversion_end_ns(c), now);
        CHECK_INT(conversion_start_ns(c), now - cases[i].length);
        conversion_free(c);
    }
}

static void a_clock_that_is_set_back_leaves_a_duration(void)
{
    const int64_t hour = 3600000000000, now = 480000 * hour;
    struct conversion *c = conversion_new(&plain);
    for (int i = 0; i < 2; i++) {
        struct chunk_builder chunk = recording_begin();
        chunk.start_ns = now - i * 2 * hour;
        chunk.duration_ns = 500;
        recording_end(&chunk);
        conversion_received(c, chunk.start_ns + 500);
        convert(c, &chunk);
    }
    CHECK_INT(conversion_start_ns(c), now - 2 * hour);
    CHECK_INT(conversion_end_ns(c), now - 2 * hour + 500);
    conversion_free(c);
}

int main(void)
{
    RUN(a_chunk_is_added_whole_or_not_at_all);
    RUN(chunks_extend_the_span);
    RUN(impossible_times_give_way_to_when_it_came);
    RUN(a_clock_that_is_set_back_leaves_a_duration);
    return REPORT();
}
