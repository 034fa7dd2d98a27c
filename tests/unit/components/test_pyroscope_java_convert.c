/* The queue between chunks and profiles. What is in a profile: tests/unit/pprof; with real chunks: test_pyroscope_java.c. */
#include "components/pyroscope_java_convert.h"

#include <stdlib.h>

#include "flow/dropped.h"
#include "jvm/intake.h"
#include "test.h"

static uv_loop_t loop;

struct owner {
    struct java_stream *stream;
    unsigned profiles, refused, ended;
    char why[256];
};

static void on_profile(void *arg, const char *name, const char *event, struct profile *p)
{
    struct owner *o = arg;
    (void)name;
    (void)event;
    (void)p;
    o->profiles++;
}

static void on_refused(void *arg, const char *why)
{
    struct owner *o = arg;
    o->refused++;
    snprintf(o->why, sizeof o->why, "%s", why);
}

static void on_ended(void *arg)
{
    struct owner *o = arg;
    o->ended++;
}

static const struct java_stream_events events = {.profile = on_profile, .refused = on_refused, .ended = on_ended};
static const struct conversion_options options = {.event = "itimer", .cpu_ns = 10000000, .gzip = true};

static uint8_t *garbage(size_t n)
{
    uint8_t *p = malloc(n);
    memset(p, 'x', n);
    return p;
}

static void a_stream_without_chunks_ends_without_a_worker(void)
{
    struct java_converter *c = java_converter_new(&loop);
    struct owner o = {0};
    o.stream = java_stream_new(c, &options, &events, &o);
    java_stream_end(o.stream);
    CHECK_INT(o.ended, 1);
    CHECK_INT(uv_loop_alive(&loop), 0);
    java_converter_free(c);
}

static void refuses_a_bad_chunk_and_goes_on(void)
{
    struct java_converter *c = java_converter_new(&loop);
    struct owner o = {0};
    double refused = metric_value(&jvm_chunks_total, "refused");
    o.stream = java_stream_new(c, &options, &events, &o);
    java_stream_chunk(o.stream, garbage(100), 100, false);
    java_stream_chunk(o.stream, garbage(5000), 5000, true);
    java_stream_chunk(o.stream, garbage(1), 1, false);
    java_stream_end(o.stream);
    uv_run(&loop, UV_RUN_DEFAULT);
    CHECK_INT(o.refused, 3);
    CHECK(o.why[0]);
    CHECK_INT(o.profiles, 0);
    CHECK_INT(o.ended, 1);
    CHECK_INT(metric_value(&jvm_chunks_total, "refused") - refused, 3);
    java_converter_free(c);
}

static void many_streams_share_the_workers(void)
{
    enum { STREAMS = 50 };
    struct java_converter *c = java_converter_new(&loop);
    struct owner o[STREAMS] = {0};
    for (int i = 0; i < STREAMS; i++)
        o[i].stream = java_stream_new(c, &options, &events, &o[i]);
    for (int round = 0; round < 3; round++) {
        for (int i = 0; i < STREAMS; i++)
            java_stream_chunk(o[i].stream, garbage(1000), 1000, round == 2);
    }
    for (int i = 0; i < STREAMS; i++)
        java_stream_end(o[i].stream);
    uv_run(&loop, UV_RUN_DEFAULT);
    for (int i = 0; i < STREAMS; i++) {
        CHECK_INT(o[i].refused, 3);
        CHECK_INT(o[i].ended, 1);
    }
    java_converter_free(c);
}

static void drops_the_oldest_when_too_much_waits(void)
{
    struct java_converter *c = java_converter_new(&loop);
    struct owner o = {0};
    double dropped = metric_value(&dropped_profiles_total, "convert_queue");
    o.stream = java_stream_new(c, &options, &events, &o);
    /* The first is with a worker at once; of the others, half fit. */
    for (int i = 0; i < 9; i++)
        java_stream_chunk(o.stream, garbage(JAVA_CONVERT_BYTES / 4), JAVA_CONVERT_BYTES / 4, i == 2);
    java_stream_end(o.stream);
    uv_run(&loop, UV_RUN_DEFAULT);
    CHECK_INT(metric_value(&dropped_profiles_total, "convert_queue") - dropped, 4);
    CHECK_INT(o.refused, 5);
    CHECK_INT(o.ended, 1);
    java_converter_free(c);
}

static void one_chunk_larger_than_all_room_is_still_read(void)
{
    struct java_converter *c = java_converter_new(&loop);
    struct owner o = {0};
    o.stream = java_stream_new(c, &options, &events, &o);
    java_stream_chunk(o.stream, garbage(10), 10, false);
    java_stream_chunk(o.stream, garbage(JAVA_CONVERT_BYTES + 1), JAVA_CONVERT_BYTES + 1, false);
    uv_run(&loop, UV_RUN_DEFAULT);
    CHECK_INT(o.refused, 2);
    java_stream_end(o.stream);
    uv_run(&loop, UV_RUN_DEFAULT);
    CHECK_INT(o.ended, 1);
    java_converter_free(c);
}

static void in_a_hurry_all_that_waits_is_given_up(void)
{
    struct java_converter *c = java_converter_new(&loop);
    struct owner o = {0};
    double dropped = metric_value(&dropped_profiles_total, "convert_queue");
    o.stream = java_stream_new(c, &options, &events, &o);
    for (int i = 0; i < 5; i++)
        java_stream_chunk(o.stream, garbage(1000), 1000, false);
    java_stream_end(o.stream);
    java_converter_hurry(c);
    uv_run(&loop, UV_RUN_DEFAULT);
    CHECK_INT(metric_value(&dropped_profiles_total, "convert_queue") - dropped, 4);
    CHECK_INT(o.refused, 1);
    CHECK_INT(o.ended, 1);
    java_converter_free(c);
}

int main(void)
{
    uv_loop_init(&loop);
    RUN(a_stream_without_chunks_ends_without_a_worker);
    RUN(refuses_a_bad_chunk_and_goes_on);
    RUN(many_streams_share_the_workers);
    RUN(drops_the_oldest_when_too_much_waits);
    RUN(one_chunk_larger_than_all_room_is_still_read);
    RUN(in_a_hurry_all_that_waits_is_given_up);
    CHECK_INT(uv_loop_close(&loop), 0);
    return REPORT();
}
