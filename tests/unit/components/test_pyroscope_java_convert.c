/* The queue between chunks and profiles. What is in a profile: tests/unit/pprof; with real chunks:
 * test_pyroscope_java.c. */
#include "components/pyroscope_java_convert.h"

#include <stdlib.h>

#include "flow/dropped.h"
#include "jvm/session/intake.h"
#include "parser/parser_main.h"
#include "pprof/recording.h"
#include "test.h"

static uv_loop_t loop;
static struct parser_pool *parsers;

struct owner {
    struct java_stream *stream;
    unsigned profiles, refused, ended, finished, whole;
    char why[256], cut[512], letter;
};

static void on_profile(void *arg, const struct convert_profile *meta, struct encoded_profile *p)
{
    struct owner *o = arg;
    (void)meta;
    (void)p;
    o->profiles++;
}

static void on_refused(void *arg, const char *why)
{
    struct owner *o = arg;
    o->refused++;
    snprintf(o->why, sizeof o->why, "%s", why);
}

static void on_finished(void *arg, bool whole)
{
    struct owner *o = arg;
    o->finished++;
    o->whole += whole;
}

static void on_ended(void *arg)
{
    struct owner *o = arg;
    o->ended++;
}

static void on_cut(void *arg, const char *what)
{
    struct owner *o = arg;
    if (*what) /* the end of a stream is that of an interval with nothing in it */
        snprintf(o->cut, sizeof o->cut, "%s", what);
}

static const struct java_stream_events events = {
    .profile = on_profile, .refused = on_refused, .cut = on_cut, .finished = on_finished, .ended = on_ended};
static const struct convert_options options = {.settings = {.event = "itimer", .cpu_ns = 10000000}, .gzip = true};

static void put_chunk(struct java_stream *stream, uint8_t *bytes, size_t n, bool last_of_interval)
{
    struct jfr_chunk *c = jfr_chunk_new(bytes, n);
    c->last_of_interval = last_of_interval;
    java_stream_chunk(stream, c);
    jfr_chunk_unref(c);
}

static void put_garbage(struct java_stream *stream, size_t n, bool last_of_interval)
{
    put_chunk(stream, memset(malloc(n), 'x', n), n, last_of_interval);
}

static void a_stream_without_chunks_ends_without_a_worker(void)
{
    struct java_converter *c = java_converter_new(&loop, parsers);
    struct owner o = {0};
    o.stream = java_stream_new(c, 0, &options, &events, &o);
    java_stream_end(o.stream);
    CHECK_INT(o.ended, 1);
    CHECK_INT(uv_loop_alive(&loop), 0);
    java_converter_free(c);
}

static void refuses_a_bad_chunk_and_goes_on(void)
{
    struct java_converter *c = java_converter_new(&loop, parsers);
    struct owner o = {0};
    double refused = metric_value(&jvm_chunks_total, "refused");
    o.stream = java_stream_new(c, 0, &options, &events, &o);
    put_garbage(o.stream, 100, false);
    put_garbage(o.stream, 5000, true);
    put_garbage(o.stream, 1, false);
    java_stream_end(o.stream);
    uv_run(&loop, UV_RUN_DEFAULT);
    CHECK_INT(o.refused, 3);
    CHECK(o.why[0]);
    CHECK_INT(o.profiles, 0);
    CHECK_INT(o.ended, 1);
    CHECK_INT(metric_value(&jvm_chunks_total, "refused") - refused, 3);
    java_converter_free(c);
}

static void an_interval_that_lacks_a_chunk_is_not_whole(void)
{
    struct java_converter *c = java_converter_new(&loop, parsers);
    struct owner o = {0};
    o.stream = java_stream_new(c, 0, &options, &events, &o);
    put_chunk(o.stream, NULL, 0, true);
    put_garbage(o.stream, 100, false);
    put_chunk(o.stream, NULL, 0, true);
    put_chunk(o.stream, NULL, 0, true);
    uv_run(&loop, UV_RUN_DEFAULT);
    CHECK_INT(o.finished, 3);
    CHECK_INT(o.whole, 2);
    java_stream_end(o.stream);
    CHECK_INT(o.finished, 3);
    java_converter_free(c);
}

static void many_streams_share_the_workers(void)
{
    enum { STREAMS = 50 };
    struct java_converter *c = java_converter_new(&loop, parsers);
    struct owner o[STREAMS] = {0};
    for (int i = 0; i < STREAMS; i++)
        o[i].stream = java_stream_new(c, 0, &options, &events, &o[i]);
    for (int round = 0; round < 3; round++) {
        for (int i = 0; i < STREAMS; i++)
            put_garbage(o[i].stream, 1000, round == 2);
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
    struct java_converter *c = java_converter_new(&loop, parsers);
    struct owner o = {0};
    double dropped = metric_value(&dropped_profiles_total, "convert_queue");
    o.stream = java_stream_new(c, 0, &options, &events, &o);
    /* The first is with a worker at once; of the others, half fit. */
    for (int i = 0; i < 9; i++)
        put_garbage(o.stream, JAVA_CONVERT_BYTES / 4, i == 2);
    java_stream_end(o.stream);
    uv_run(&loop, UV_RUN_DEFAULT);
    CHECK_INT(metric_value(&dropped_profiles_total, "convert_queue") - dropped, 4);
    CHECK_INT(o.refused, 5);
    CHECK_INT(o.ended, 1);
    java_converter_free(c);
}

static void one_chunk_larger_than_all_room_is_still_read(void)
{
    struct java_converter *c = java_converter_new(&loop, parsers);
    struct owner o = {0};
    o.stream = java_stream_new(c, 0, &options, &events, &o);
    put_garbage(o.stream, 10, false);
    put_garbage(o.stream, JAVA_CONVERT_BYTES + 1, false);
    uv_run(&loop, UV_RUN_DEFAULT);
    CHECK_INT(o.refused, 2);
    java_stream_end(o.stream);
    uv_run(&loop, UV_RUN_DEFAULT);
    CHECK_INT(o.ended, 1);
    java_converter_free(c);
}

static void in_a_hurry_all_that_waits_is_given_up(void)
{
    struct java_converter *c = java_converter_new(&loop, parsers);
    struct owner o = {0};
    double dropped = metric_value(&dropped_profiles_total, "convert_queue");
    o.stream = java_stream_new(c, 0, &options, &events, &o);
    for (int i = 0; i < 5; i++)
        put_garbage(o.stream, 1000, false);
    java_stream_end(o.stream);
    java_converter_hurry(c);
    uv_run(&loop, UV_RUN_DEFAULT);
    CHECK_INT(metric_value(&dropped_profiles_total, "convert_queue") - dropped, 4);
    CHECK_INT(o.refused, 1);
    CHECK_INT(o.ended, 1);
    java_converter_free(c);
}

/* In the order of their conversions; what belongs to whom is in the order of the letters. */
static char order[256];

static void note(void *arg, const char *why)
{
    const struct owner *o = arg;
    (void)why;
    size_t n = strlen(order);
    if (n + 1 < sizeof order)
        order[n] = o->letter;
}

static const struct java_stream_events noted = {
    .profile = on_profile, .refused = note, .cut = on_cut, .ended = on_ended};

static void end_all(struct owner *o, size_t n)
{
    for (size_t i = 0; i < n; i++)
        java_stream_end(o[i].stream);
    uv_run(&loop, UV_RUN_DEFAULT);
    for (size_t i = 0; i < n; i++)
        CHECK_INT(o[i].ended, 1);
}

static void users_take_turns_however_much_one_has(void)
{
    struct java_converter *c = java_converter_new(&loop, parsers);
    struct owner o[3] = {{.letter = 'a'}, {.letter = 'a'}, {.letter = 'b'}};
    memset(order, 0, sizeof order);
    o[0].stream = java_stream_new(c, 1000, &options, &noted, &o[0]);
    o[1].stream = java_stream_new(c, 1000, &options, &noted, &o[1]);
    o[2].stream = java_stream_new(c, 2000, &options, &noted, &o[2]);
    for (int i = 0; i < 50; i++)
        put_garbage(o[i % 2].stream, 1000, false);
    for (int i = 0; i < 3; i++)
        put_garbage(o[2].stream, 1000, false);
    end_all(o, 3);
    CHECK_INT(strlen(order), 53);
    const char *last = strrchr(order, 'b');
    CHECK(last && last - order < 12); /* 3 of b, beside each one of a, and what two workers had begun */
    java_converter_free(c);
}

static void what_is_dropped_is_of_the_user_that_has_most(void)
{
    enum { PIECE = JAVA_CONVERT_BYTES / 8 };
    struct java_converter *c = java_converter_new(&loop, parsers);
    struct owner o[2] = {{.letter = 'a'}, {.letter = 'b'}};
    memset(order, 0, sizeof order);
    o[1].stream = java_stream_new(c, 2, &options, &noted, &o[1]);
    o[0].stream = java_stream_new(c, 1, &options, &noted, &o[0]);
    /* The first of each is with a worker at once. */
    for (int i = 0; i < 4; i++)
        put_garbage(o[1].stream, PIECE, false);
    for (int i = 0; i < 40; i++)
        put_garbage(o[0].stream, PIECE, false);
    end_all(o, 2);
    size_t of_b = 0;
    for (const char *p = order; *p; p++)
        of_b += *p == 'b';
    CHECK_INT(of_b, 4);
    CHECK_INT(strlen(order) - of_b, 1 + 8 - 3); /* what is left of all room */
    java_converter_free(c);
}

/* Keeps a worker busy for a while. */
static void put_long_chunk(struct java_stream *stream)
{
    enum { SAMPLES = 400000 };
    struct chunk_builder chunk = recording_begin();
    size_t len;
    for (size_t i = 0; i < SAMPLES; i++)
        recording_execution(&chunk, STACK_MAIN, THREAD_MAIN, STATE_DEFAULT);
    recording_end(&chunk);
    uint8_t *bytes = buf_take(&chunk.b, &len);
    put_chunk(stream, bytes, len, false);
    chunk_done(&chunk);
}

static void who_used_up_its_time_waits_for_the_others(void)
{
    enum { USERS = 6, LATE = 4 };
    const int64_t second_ns = 1000000000;
    struct java_converter *c = java_converter_new(&loop, parsers);
    struct owner o[USERS] = {{.letter = 'a'}, {.letter = 'b'}, {.letter = 'c'}, {.letter = 'd'}, {.letter = 'e'}};
    memset(order, 0, sizeof order);
    for (int i = 0; i < USERS; i++)
        o[i].stream = java_stream_new(c, (uint64_t)i, &options, &noted, &o[i]);
    java_converter_charge(c, 0, 1000 * second_ns);
    put_long_chunk(o[4].stream); /* both workers */
    put_long_chunk(o[5].stream);
    for (int i = 0; i < LATE; i++)
        put_garbage(o[0].stream, 1000, false);
    for (int i = 1; i < 4; i++)
        put_garbage(o[i].stream, 1000, false);
    end_all(o, USERS);
    CHECK_INT(strlen(order), 3 + LATE);
    CHECK(strchr(order, 'a') - order >= 2); /* the last of the others may run beside the first of these */
    java_converter_free(c);
}

static void says_what_was_left_out(void)
{
    struct java_converter *c = java_converter_new(&loop, parsers);
    struct owner o = {0};
    double cut = metric_value(&conversion_cut_total, "frames");
    enum { STACK_DEEP = 50, POOLS = 7 };
    const size_t frames = conversion_limits_agent.frames + 1;
    struct chunk_builder chunk = recording_begin();
    recording_execution(&chunk, STACK_DEEP, THREAD_MAIN, STATE_DEFAULT);
    chunk_checkpoint(&chunk, 0, POOLS + 1);
    recording_pools(&chunk);
    CHUNK_VARINTS(&chunk, 26, 1, STACK_DEEP, 0, frames);
    for (size_t i = 0; i < frames; i++)
        CHUNK_VARINTS(&chunk, 1, 10, 0, 0);
    chunk_event_end(&chunk);
    chunk_end(&chunk);
    o.stream = java_stream_new(c, 0, &options, &events, &o);
    size_t len;
    uint8_t *bytes = buf_take(&chunk.b, &len);
    put_chunk(o.stream, bytes, len, true);
    java_stream_end(o.stream);
    uv_run(&loop, UV_RUN_DEFAULT);
    CHECK_INT(o.profiles, 1);
    CHECK_HAS(o.cut, "recording truncated: 1 stacks truncated: too deep");
    CHECK_INT(metric_value(&conversion_cut_total, "frames") - cut, 1);
    chunk_done(&chunk);
    java_converter_free(c);
}

int main(int argc, char **argv)
{
    parser_main(argc, argv, NULL, NULL);
    parsers = parser_pool_new("parser", NULL);
    uv_loop_init(&loop);
    RUN(a_stream_without_chunks_ends_without_a_worker);
    RUN(refuses_a_bad_chunk_and_goes_on);
    RUN(an_interval_that_lacks_a_chunk_is_not_whole);
    RUN(many_streams_share_the_workers);
    RUN(drops_the_oldest_when_too_much_waits);
    RUN(one_chunk_larger_than_all_room_is_still_read);
    RUN(in_a_hurry_all_that_waits_is_given_up);
    RUN(users_take_turns_however_much_one_has);
    RUN(what_is_dropped_is_of_the_user_that_has_most);
    RUN(who_used_up_its_time_waits_for_the_others);
    RUN(says_what_was_left_out);
    parser_pool_free(parsers);
    CHECK_INT(uv_loop_close(&loop), 0);
    return REPORT();
}
