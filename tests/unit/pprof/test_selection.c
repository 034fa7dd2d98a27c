#include "pprof/selection.h"

#include "pprof/conversion_finish.h"
#include "pprof/converting.h"
#include "pprof/profile.h"
#include "pprof/recording.h"

enum { TYPES_MAX = 8192 };

/* Wall clock samples: main runs 1 and sleeps 2, the GC thread runs 4. */
static struct chunk_builder wall(void)
{
    struct chunk_builder c = recording_begin();
    recording_setting(&c, "event", "wall");
    recording_wall(&c, STACK_WORK, THREAD_MAIN, STATE_RUNNABLE, 1);
    recording_wall(&c, STACK_WORK, THREAD_MAIN, STATE_SLEEPING, 2);
    recording_wall(&c, STACK_MAIN, THREAD_GC, STATE_RUNNABLE, 4);
    recording_end(&c);
    return c;
}

/* The sum of the values of that profile of a chunk, in units of 10. */
static int64_t sum_of(struct chunk_builder chunk, const char *name, struct conversion_options o)
{
    struct conversion_profile profiles[CONVERSION_PROFILES_MAX];
    int64_t sum = 0;
    o.cpu_ns = 10;
    struct conversion *c = conversion_new(&o);
    convert(c, &chunk);
    const size_t n = conversion_profiles(c, profiles);
    for (size_t i = 0; i < n; i++) {
        for (size_t k = 0; strcmp(profiles[i].name, name) == 0 && k < profiles[i].p->sample_count; k++)
            sum += profile_values(profiles[i].p, k)[0];
    }
    conversion_free(c);
    return sum / 10;
}

static int64_t selected(const char *thread, const char *states)
{
    cleanup_frame_patterns struct frame_patterns threads = {0};
    struct err err = {0};
    if (thread)
        CHECK_INT(frame_patterns_add(&threads, thread, &err), 0);
    const struct event_selection s = {.threads = &threads, .states = states};
    return sum_of(wall(), "wall", (struct conversion_options){.select = &s});
}

static void samples_are_selected_by_the_name_of_their_thread(void)
{
    CHECK_INT(selected(NULL, NULL), 7);
    CHECK_INT(selected("main", NULL), 3);
    CHECK_INT(selected("java", NULL), 0); /* the name of the system's thread counts where Java has none */
    CHECK_INT(selected("/^GC Thread#[0-9]/", NULL), 4);
    CHECK_INT(selected("*", NULL), 7);
}

static void samples_are_selected_by_the_state_of_their_thread(void)
{
    CHECK_INT(selected(NULL, ""), 7);
    CHECK_INT(selected(NULL, "runnable"), 5);
    CHECK_INT(selected(NULL, "RUN"), 5);
    CHECK_INT(selected(NULL, "s"), 2);
    CHECK_INT(selected(NULL, "default,,sleeping"), 2);
    CHECK_INT(selected(NULL, "runnable,sleeping"), 7);
    CHECK_INT(selected(NULL, "runnablex"), 0);
    CHECK_INT(selected("main", "runnable"), 1);
}

static void the_reference_takes_all(void)
{
    const struct event_selection s = {.states = "sleeping"};
    CHECK(selection_has_any(&s) && !selection_has_threads(&s) && !selection_has_calls(&s));
    CHECK(sum_of(wall(), "wall", (struct conversion_options){.select = &s, .compat = true}) > 0);
}

/* Traces of main: from 100 for 50 ticks, from 200 for 5. The chunk's ticks are nanoseconds. */
static struct chunk_builder traced(void)
{
    char types[TYPES_MAX];
    snprintf(types, sizeof types, "%s\n%s\n%s", recording_types,
             "115 jdk.MethodTrace startTime:11 duration:11 eventThread:22* stackTrace:26* method:28*",
             "123 profiler.Span startTime:11 duration:11 eventThread:22* tag:20");
    struct chunk_builder c = chunk_begin(types);
    static const uint64_t samples[][2] = {{99, THREAD_MAIN},  {100, THREAD_MAIN}, {149, THREAD_MAIN},
                                          {150, THREAD_MAIN}, {120, THREAD_GC},   {202, THREAD_MAIN}};
    for (size_t i = 0; i < sizeof samples / sizeof *samples; i++) {
        chunk_event(&c, 101);
        CHUNK_VARINTS(&c, samples[i][0], samples[i][1], STACK_WORK, STATE_DEFAULT);
        chunk_event_end(&c);
    }
    static const uint64_t traces[][2] = {{100, 50}, {200, 5}};
    for (size_t i = 0; i < 2; i++) {
        chunk_event(&c, 115);
        CHUNK_VARINTS(&c, traces[i][0], traces[i][1], THREAD_MAIN, STACK_MAIN, 1);
        chunk_event_end(&c);
    }
    chunk_event(&c, 123);
    CHUNK_VARINTS(&c, 98, 2, THREAD_MAIN);
    chunk_text(&c, "check out");
    chunk_event_end(&c);
    recording_end(&c);
    return c;
}

/* The span is from 98 for 2 ticks. */
static int64_t in_span(const char *name, const char *tag, int64_t latency_ns)
{
    cleanup_frame_patterns struct frame_patterns spans = {0};
    struct err err = {0};
    CHECK_INT(frame_patterns_add(&spans, tag, &err), 0);
    const struct event_selection s = {.latency_ns = latency_ns, .spans = &spans};
    return sum_of(traced(), name, (struct conversion_options){.event = "cpu", .select = &s});
}

static void samples_are_selected_by_the_span_they_lie_in(void)
{
    CHECK_INT(in_span("process_cpu", "check*", 0), 1);
    CHECK_INT(in_span("process_cpu", "check*", 2), 1);
    CHECK_INT(in_span("process_cpu", "check*", 3), 0);
    CHECK_INT(in_span("process_cpu", "other", 0), 0);
}

static int64_t within(const char *name, int64_t latency_ns)
{
    const struct event_selection s = {.latency_ns = latency_ns};
    return sum_of(traced(), name, (struct conversion_options){.event = "cpu", .select = &s});
}

static void samples_are_selected_by_the_slow_call_they_lie_in(void)
{
    CHECK_INT(within("process_cpu", 0), 6);
    CHECK_INT(within("process_cpu", 1), 4); /* with the span's */
    CHECK_INT(within("process_cpu", 3), 3);
    CHECK_INT(within("process_cpu", 6), 2);
    CHECK_INT(within("process_cpu", 50), 2);
    CHECK_INT(within("process_cpu", 51), 0);
}

int main(void)
{
    RUN(samples_are_selected_by_the_name_of_their_thread);
    RUN(samples_are_selected_by_the_state_of_their_thread);
    RUN(the_reference_takes_all);
    RUN(samples_are_selected_by_the_slow_call_they_lie_in);
    RUN(samples_are_selected_by_the_span_they_lie_in);
    return REPORT();
}
