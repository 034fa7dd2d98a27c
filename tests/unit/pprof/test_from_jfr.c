#include "pprof/from_jfr.h"

#include <errno.h>

#include "pprof/converting.h"
#include "pprof/decode.h"
#include "pprof/recording.h"
#include "pprof/text.h"
#include "test.h"

enum { MAX = 1 << 20 };

static const struct conversion_options plain = {.event = "itimer", .cpu_ns = 10};

static void add(struct conversion *c, struct chunk_builder *chunk)
{
    recording_end(chunk);
    convert(c, chunk);
}

static void add_bad(struct conversion *c, struct chunk_builder *chunk, const char *why)
{
    recording_end(chunk);
    convert_bad(c, chunk, why);
}

/* The profile of that name and first sample type, as a text; "" where there is none. */
static void check_profile(struct conversion *c, const char *name, const char *type, const char *want)
{
    struct pprof_result *r;
    size_t n;
    struct err err = {0};
    struct buf text = BUF_INIT(MAX);
    CHECK_INT(conversion_finish(c, &r, &n, &err), 0);
    for (size_t i = 0; i < n; i++) {
        cleanup_symbols struct symbols s;
        cleanup_profile struct profile p;
        symbols_init(&s, MAX);
        profile_init(&p, &s);
        CHECK_INT(pprof_decode(r[i].bytes, r[i].len, MAX, &s, &p, &err), 0);
        if (strcmp(r[i].name, name) == 0 && p.type_count && str_is(s.strings[p.types[0].type], type))
            pprof_text(&p, PPROF_TEXT_REFERENCE, &text);
    }
    CHECK_STR(buf_cstr(&text), want);
    buf_done(&text);
}

static uint64_t events(const struct conversion *c, const char *type)
{
    size_t n;
    const struct conversion_event *e = conversion_events(c, &n);
    for (size_t i = 0; i < n; i++) {
        if (strcmp(e[i].type, type) == 0)
            return e[i].count;
    }
    FAIL_("no count of %s", type);
    return 0;
}

static void every_kind_of_event_counts_for_itself(void)
{
    struct conversion *c = conversion_new(&(struct conversion_options){.event = "itimer", .cpu_ns = 10, .wall_ns = 50});
    struct chunk_builder chunk = recording_begin();
    recording_wall(&chunk, STACK_MAIN, THREAD_MAIN, STATE_SLEEPING, 7); /* a batch must not count for what follows */
    recording_execution(&chunk, STACK_WORK, THREAD_MAIN, STATE_DEFAULT);
    recording_tlab(&chunk, STACK_WORK, THREAD_MAIN, 1000);
    recording_outside(&chunk, STACK_WORK, THREAD_MAIN, 2000);
    recording_alloc_sample(&chunk, STACK_WORK, THREAD_MAIN, 3000);
    recording_live(&chunk, STACK_WORK, THREAD_MAIN);
    recording_malloc(&chunk, STACK_WORK, THREAD_MAIN, 4000);
    recording_lock(&chunk, STACK_WORK, THREAD_MAIN, 500);
    recording_park(&chunk, STACK_WORK, THREAD_MAIN, 600);
    add(c, &chunk);
    check_profile(c, "wall", "wall", "app/Main.main:10 [350]");
    check_profile(c, "process_cpu", "cpu", "app/Main.main:11;app/Main.work:20 [10]");
    check_profile(c, "memory", "alloc_in_new_tlab_objects", "app/Main.main:11;app/Main.work:20 [1 1000]");
    check_profile(c, "memory", "alloc_outside_tlab_objects", "app/Main.main:11;app/Main.work:20 [1 2000]");
    check_profile(c, "memory", "alloc_sample_objects", "app/Main.main:11;app/Main.work:20 [1 3000]");
    check_profile(c, "memory", "live", "app/Main.main:11;app/Main.work:20 [1 64]");
    check_profile(c, "memory", "malloc_objects", "app/Main.main:11;app/Main.work:20 [1 4000]");
    check_profile(c, "mutex", "contentions", "app/Main.main:11;app/Main.work:20 [1 500]");
    check_profile(c, "block", "contentions", "app/Main.main:11;app/Main.work:20 [1 600]");
    CHECK_INT(events(c, "profiler.WallClockSample"), 7);
    CHECK_INT(events(c, "jdk.ExecutionSample"), 1);
    conversion_free(c);
}

/* The reference has one place for the number of a wall clock sample and the one of every other event. */
static void the_reference_counts_as_often_as_the_wall_clock_before(void)
{
    struct conversion *c = conversion_new(&(struct conversion_options){.event = "", .cpu_ns = 10, .compat = true});
    struct chunk_builder chunk = recording_begin();
    recording_setting(&chunk, "event", "cpu");
    recording_lock(&chunk, STACK_MAIN, THREAD_MAIN, 500);
    recording_wall(&chunk, STACK_MAIN, THREAD_MAIN, STATE_SLEEPING, 7);
    recording_wall(&chunk, STACK_MAIN, THREAD_MAIN, STATE_RUNNABLE, 3);
    recording_execution(&chunk, STACK_WORK, THREAD_MAIN, STATE_DEFAULT);
    recording_lock(&chunk, STACK_WORK, THREAD_MAIN, 500);
    add(c, &chunk);
    check_profile(c, "wall", "wall", "app/Main.main:10 [100]");
    check_profile(c, "process_cpu", "cpu", "app/Main.main:11;app/Main.work:20 [30]");
    check_profile(c, "mutex", "contentions", "app/Main.main:10 [1 500]\napp/Main.main:11;app/Main.work:20 [3 500]");
    conversion_free(c);
}

static void kinds_without_samples_are_not_produced(void)
{
    struct conversion *c = conversion_new(&plain);
    struct chunk_builder chunk = recording_begin();
    recording_lock(&chunk, STACK_MAIN, THREAD_MAIN, 5);
    add(c, &chunk);
    struct pprof_result *r;
    size_t n;
    CHECK_INT(conversion_finish(c, &r, &n, NULL), 0);
    CHECK_INT(n, 1);
    CHECK_STR(r[0].name, "mutex");
    CHECK_STR(r[0].event, "itimer");
    CHECK_INT(r[0].samples, 1);
    conversion_free(c);
}

static void wall_alone_gives_cpu_for_runnable_threads(void)
{
    struct conversion *c = conversion_new(&(struct conversion_options){.event = "wall", .cpu_ns = 10, .wall_ns = 50});
    struct chunk_builder chunk = recording_begin();
    recording_wall(&chunk, STACK_MAIN, THREAD_MAIN, STATE_RUNNABLE, 2);
    recording_wall(&chunk, STACK_WORK, THREAD_MAIN, STATE_SLEEPING, 100);
    recording_execution(&chunk, STACK_WORK, THREAD_MAIN, STATE_SLEEPING);
    add(c, &chunk);
    check_profile(c, "process_cpu", "cpu", "app/Main.main:10 [100]");
    check_profile(c, "wall", "wall", "app/Main.main:10 [100]\napp/Main.main:11;app/Main.work:20 [5050]");
    conversion_free(c);
}

static void delays_are_scaled_from_ticks(void)
{
    struct conversion *c = conversion_new(&plain);
    struct chunk_builder chunk = recording_begin();
    chunk.ticks_per_second = 2800000000;
    recording_lock(&chunk, STACK_MAIN, THREAD_MAIN, 28000);
    add(c, &chunk);
    check_profile(c, "mutex", "contentions", "app/Main.main:10 [1 10000]");
    conversion_free(c);
}

static void settings_outlive_the_first_chunk(void)
{
    struct conversion *first = conversion_new(&plain);
    struct chunk_builder chunk = recording_begin();
    recording_setting(&chunk, "event", "wall");
    recording_setting(&chunk, "interval", "20");
    recording_setting(&chunk, "wall", "70");
    recording_setting(&chunk, "alloc", "5");
    add(first, &chunk);
    struct conversion_options carried = {0};
    conversion_settings(first, &carried);
    CHECK_STR(carried.event, "wall");
    CHECK_INT(carried.cpu_ns, 20);
    CHECK_INT(carried.wall_ns, 70);
    struct conversion *second = conversion_new(&carried);
    conversion_free(first);
    chunk = recording_begin();
    recording_wall(&chunk, STACK_MAIN, THREAD_MAIN, STATE_RUNNABLE, 1);
    add(second, &chunk);
    check_profile(second, "process_cpu", "cpu", "app/Main.main:10 [70]");
    conversion_free(second);
}

static void samples_by_the_tick_count_for_what_ticks_are_worth(void)
{
    static const struct {
        const char *event, *want;
    } cases[] = {{"itimer", "app/Main.main:10 [2900]"}, {"ctimer", "app/Main.main:10 [3000]"}};
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct conversion *c = conversion_new(&plain);
        struct chunk_builder chunk = recording_begin();
        recording_setting(&chunk, "event", cases[i].event);
        recording_setting(&chunk, "interval", "1000");
        recording_execution(&chunk, STACK_MAIN, THREAD_MAIN, STATE_DEFAULT);
        add(c, &chunk);
        conversion_itimer_scale(c, 0.95);
        chunk = recording_begin();
        recording_execution(&chunk, STACK_MAIN, THREAD_MAIN, STATE_DEFAULT);
        recording_execution(&chunk, STACK_MAIN, THREAD_MAIN, STATE_DEFAULT);
        add(c, &chunk);
        check_profile(c, "process_cpu", "cpu", cases[i].want);
        CHECK_INT(events(c, "jdk.ExecutionSample"), 3);
        conversion_free(c);
    }
}

static void a_wall_recording_weighs_by_its_own_interval(void)
{
    struct conversion *c = conversion_new(&(struct conversion_options){.event = "cpu", .cpu_ns = 10, .wall_ns = 50});
    struct chunk_builder chunk = recording_begin();
    recording_setting(&chunk, "event", "wall");
    recording_setting(&chunk, "interval", "20");
    recording_execution(&chunk, STACK_MAIN, THREAD_MAIN, STATE_SLEEPING); /* unbatched */
    recording_execution(&chunk, STACK_WORK, THREAD_MAIN, STATE_RUNNABLE);
    add(c, &chunk);
    check_profile(c, "wall", "wall", "app/Main.main:10 [20]\napp/Main.main:11;app/Main.work:20 [20]");
    check_profile(c, "process_cpu", "cpu", "app/Main.main:11;app/Main.work:20 [20]");
    CHECK_INT(events(c, "jdk.ExecutionSample"), 2);
    conversion_free(c);
}

/* Releases before 4, and later ones with `nobatch`, have one type of event for both samplers. */
static void samples_of_the_wall_clock_are_told_by_the_state(void)
{
    struct conversion *c = conversion_new(&plain);
    struct chunk_builder chunk = recording_begin();
    recording_setting(&chunk, "event", "cpu");
    recording_setting(&chunk, "interval", "20");
    recording_setting(&chunk, "wall", "70");
    recording_execution(&chunk, STACK_MAIN, THREAD_MAIN, STATE_DEFAULT);
    recording_execution(&chunk, STACK_MAIN, THREAD_MAIN, STATE_RUNNABLE);
    recording_execution(&chunk, STACK_WORK, THREAD_MAIN, STATE_SLEEPING);
    add(c, &chunk);
    check_profile(c, "process_cpu", "cpu", "app/Main.main:10 [20]");
    check_profile(c, "wall", "wall", "app/Main.main:10 [70]\napp/Main.main:11;app/Main.work:20 [70]");
    CHECK_INT(events(c, "jdk.ExecutionSample"), 3);
    /* Before 3 the state of all samples of cpu is that of a running thread; the wall clock was of the recording
     * before. */
    chunk = recording_begin();
    recording_setting(&chunk, "event", "itimer");
    recording_setting(&chunk, "interval", "30");
    recording_execution(&chunk, STACK_MAIN, THREAD_MAIN, STATE_RUNNABLE);
    add(c, &chunk);
    check_profile(c, "process_cpu", "cpu", "app/Main.main:10 [50]");
    conversion_free(c);
}

static void a_counter_may_run_beside_the_wall_clock(void)
{
    struct conversion *c = conversion_new(&plain);
    struct chunk_builder chunk = recording_begin();
    recording_setting(&chunk, "event", "page-faults");
    recording_setting(&chunk, "interval", "2");
    recording_setting(&chunk, "wall", "70");
    recording_execution(&chunk, STACK_MAIN, THREAD_MAIN, STATE_DEFAULT);
    recording_execution(&chunk, STACK_MAIN, THREAD_MAIN, STATE_SLEEPING);
    add(c, &chunk);
    check_profile(c, "event", "samples", "app/Main.main:10 [1 2]");
    check_profile(c, "wall", "wall", "app/Main.main:10 [70]");
    check_profile(c, "process_cpu", "cpu", "");
    conversion_free(c);
}

static void interval_zero_is_what_the_profiler_makes_of_it(void)
{
    struct conversion *c = conversion_new(&plain);
    struct chunk_builder chunk = recording_begin();
    recording_setting(&chunk, "event", "cpu");
    recording_setting(&chunk, "interval", "0");
    recording_setting(&chunk, "wall", "0");
    recording_execution(&chunk, STACK_MAIN, THREAD_MAIN, STATE_DEFAULT);
    recording_wall(&chunk, STACK_MAIN, THREAD_MAIN, STATE_SLEEPING, 1);
    add(c, &chunk);
    check_profile(c, "process_cpu", "cpu", "app/Main.main:10 [10000000]");
    check_profile(c, "wall", "wall", "app/Main.main:10 [50000000]");
    conversion_free(c);
}

static void stacks_of_several_chunks_merge(void)
{
    struct conversion *c = conversion_new(&plain);
    for (int i = 0; i < 3; i++) {
        struct chunk_builder chunk = recording_begin();
        chunk.start_ns = 1000 + 100 * i;
        chunk.duration_ns = 100;
        recording_execution(&chunk, STACK_MAIN, THREAD_MAIN, STATE_DEFAULT);
        add(c, &chunk);
    }
    struct pprof_result *r;
    size_t n;
    check_profile(c, "process_cpu", "cpu", "app/Main.main:10 [30]");
    CHECK_INT(conversion_start_ns(c), 1000);
    CHECK_INT(conversion_end_ns(c), 1300);
    CHECK_INT(conversion_finish(c, &r, &n, NULL), 0);
    CHECK_INT(r[0].time_nanos, 1000);
    CHECK_INT(r[0].duration_nanos, 300);
    CHECK_INT(r[0].samples, 3);
    conversion_free(c);
}

static void a_damaged_chunk_leaves_no_trace(void)
{
    struct conversion *c = conversion_new(&plain);
    struct chunk_builder chunk = recording_begin();
    recording_execution(&chunk, STACK_MAIN, THREAD_MAIN, STATE_DEFAULT);
    add(c, &chunk);
    chunk = recording_begin();
    recording_setting(&chunk, "event", "wall");
    recording_execution(&chunk, STACK_WORK, THREAD_MAIN, STATE_DEFAULT);
    buf_append(&chunk.b, "\0\0\0\0\0\0", 6); /* a hole in the file */
    add_bad(c, &chunk, "size 0");
    chunk = recording_begin();
    chunk_event(&chunk, 101);
    CHUNK_VARINTS(&chunk, 1, 7); /* stack and state are cut */
    chunk_event_end(&chunk);
    add_bad(c, &chunk, "is cut");
    check_profile(c, "process_cpu", "cpu", "app/Main.main:10 [10]");
    CHECK_INT(events(c, "jdk.ExecutionSample"), 1);
    struct conversion_options carried = {0};
    conversion_settings(c, &carried);
    CHECK_STR(carried.event, "itimer");
    conversion_free(c);
}

/* One long class name that many methods share: a few bytes each in the recording, thousands once they are names. */
static void names_that_outgrow_the_recording_are_other(void)
{
    enum { METHODS = 1000, NAME = 8000 };
    struct conversion *c = conversion_new(&plain);
    struct chunk_builder chunk = recording_begin();
    char name[NAME + 1];
    memset(name, '$', NAME);
    name[NAME] = '\0';
    recording_execution(&chunk, STACK_MAIN, THREAD_MAIN, STATE_DEFAULT);
    chunk_checkpoint(&chunk, 0, 4);
    CHUNK_VARINTS(&chunk, 26, 1, STACK_MAIN, 0, METHODS); /* one stack of them all */
    for (uint64_t i = 1; i <= METHODS; i++)
        CHUNK_VARINTS(&chunk, i, 1, 0, 0);
    CHUNK_VARINTS(&chunk, 28, METHODS);
    for (uint64_t i = 1; i <= METHODS; i++)
        CHUNK_VARINTS(&chunk, i, 5, 2, 0, 0, 0);
    CHUNK_VARINTS(&chunk, 21, 1, 5, 0, 1, 0, 0);
    CHUNK_VARINTS(&chunk, 31, 1);
    recording_named(&chunk, 1, name);
    chunk_event_end(&chunk);
    chunk_end(&chunk);
    struct err err = {0};
    CHECK_INT(conversion_add(c, chunk.b.p, chunk.b.len, &err), 0);
    CHECK_INT(events(c, "jdk.ExecutionSample"), 1);
    CHECK_INT(conversion_cuts(c)[CUT_MEMORY].count, 1);
    check_profile(c, "process_cpu", "cpu", "[other]:0 [10]");
    chunk_done(&chunk);
    conversion_free(c);
}

/* Hours of wall clock samples in one chunk: as many stacks as there may be memory for. */
static void a_chunk_may_have_millions_of_stacks(void)
{
    enum { STACKS = 1100000, FIRST = 100 };
    for (int large = 0; large < 2; large++) {
        struct conversion_options options = plain;
        options.limits = large ? &conversion_limits_files : NULL;
        struct conversion *c = conversion_new(&options);
        struct chunk_builder chunk = recording_begin();
        struct err err = {0};
        recording_execution(&chunk, FIRST + STACKS - 1, THREAD_MAIN, STATE_DEFAULT);
        enum { RECORDING_POOLS = 7 };
        chunk_checkpoint(&chunk, 0, RECORDING_POOLS + 1);
        recording_pools(&chunk);
        CHUNK_VARINTS(&chunk, 26, STACKS);
        for (uint64_t i = 0; i < STACKS; i++)
            CHUNK_VARINTS(&chunk, FIRST + i, 0, 1, 1, i % 100, 0, 0);
        chunk_event_end(&chunk);
        chunk_end(&chunk);
        CHECK_INT(conversion_add(c, chunk.b.p, chunk.b.len, &err), 0);
        CHECK((conversion_cuts(c)[CUT_POOLS].count > STACKS / 2) == !large);
        check_profile(c, "process_cpu", "cpu", large ? "app/Main.main:99 [10]" : "[unknown]:0 [10]");
        chunk_done(&chunk);
        conversion_free(c);
    }
}

static void what_ids_do_not_name_is_kept_as_unknown(void)
{
    struct conversion *c = conversion_new(&plain);
    struct chunk_builder chunk = recording_begin();
    recording_execution(&chunk, STACK_NONE, THREAD_NONE, STATE_NONE);
    recording_execution(&chunk, STACK_CUT, THREAD_MAIN, STATE_DEFAULT); /* its leaf is unknown, its root has no line */
    add(c, &chunk);
    check_profile(c, "process_cpu", "cpu", "[unknown]:0 [10]\napp/Main.work:0;[unknown]:1 [10]");
    conversion_free(c);
}

/* The JDK's recorder writes such stacks now and then. */
static void a_stack_without_frames_is_unknown(void)
{
    struct conversion *c = conversion_new(&plain);
    struct chunk_builder chunk = recording_begin();
    recording_execution(&chunk, STACK_EMPTY, THREAD_MAIN, STATE_DEFAULT);
    recording_execution(&chunk, STACK_NONE, THREAD_MAIN, STATE_DEFAULT);
    recording_execution(&chunk, STACK_EMPTY, THREAD_MAIN, STATE_DEFAULT);
    recording_tlab(&chunk, STACK_EMPTY, THREAD_MAIN, 512);
    recording_malloc(&chunk, STACK_EMPTY, THREAD_MAIN, 32);
    add(c, &chunk);
    check_profile(c, "process_cpu", "cpu", "[unknown]:0 [30]");
    check_profile(c, "memory", "alloc_in_new_tlab_objects", "[unknown]:0 [1 512]");
    check_profile(c, "memory", "malloc_objects", "[unknown]:0 [1 32]");
    conversion_free(c);
}

static void the_reference_drops_what_it_does_not_know(void)
{
    struct conversion *c =
        conversion_new(&(struct conversion_options){.event = "", .cpu_ns = 10, .compat = true, .mark_truncated = true});
    struct chunk_builder chunk = recording_begin();
    recording_execution(&chunk, STACK_NONE, THREAD_NONE, STATE_DEFAULT);
    recording_execution(&chunk, STACK_MAIN, THREAD_MAIN, STATE_NONE);
    recording_execution(&chunk, STACK_CUT, THREAD_MAIN, STATE_DEFAULT);
    add(c, &chunk);
    check_profile(c, "process_cpu", "cpu", "[truncated]:0;app/Main.work:4294967295 [10]");
    conversion_free(c);
}

/* Labels by thread: one stack becomes two samples. */
static void samples_carry_their_thread_where_asked_for(void)
{
    struct conversion *c =
        conversion_new(&(struct conversion_options){.event = "cpu", .cpu_ns = 10, .per_thread = true});
    struct chunk_builder chunk = recording_begin();
    recording_execution(&chunk, STACK_MAIN, THREAD_MAIN, STATE_DEFAULT);
    recording_execution(&chunk, STACK_MAIN, THREAD_GC, STATE_DEFAULT);
    recording_execution(&chunk, STACK_MAIN, THREAD_NONE, STATE_DEFAULT);
    add(c, &chunk);
    struct pprof_result *r;
    size_t n;
    cleanup_symbols struct symbols s;
    cleanup_profile struct profile p;
    symbols_init(&s, MAX);
    profile_init(&p, &s);
    CHECK_INT(conversion_finish(c, &r, &n, NULL), 0);
    CHECK_INT(pprof_decode(r[0].bytes, r[0].len, MAX, &s, &p, NULL), 0);
    CHECK_INT(p.sample_count, 3);
    static const char *const names[] = {"main", "GC Thread#_"};
    for (size_t i = 0; i < 2 && i < p.sample_count; i++) {
        const struct pprof_labels *l = &s.label_sets[p.samples[i].labels];
        CHECK_INT(l->count, 1);
        CHECK(l->count && str_is(s.strings[l->labels[0].key], "thread") &&
              str_is(s.strings[l->labels[0].str], names[i]));
    }
    CHECK_INT(s.label_sets[p.samples[2].labels].count, 0);
    conversion_free(c);
}

static void a_profile_tells_its_period(void)
{
    struct conversion *c = conversion_new(&(struct conversion_options){.event = "cpu", .cpu_ns = 10, .wall_ns = 50});
    struct chunk_builder chunk = recording_begin();
    recording_execution(&chunk, STACK_MAIN, THREAD_MAIN, STATE_DEFAULT);
    recording_wall(&chunk, STACK_MAIN, THREAD_MAIN, STATE_SLEEPING, 1);
    add(c, &chunk);
    struct pprof_result *r;
    size_t n;
    static const int64_t periods[] = {10, 50};
    static const char *const types[] = {"cpu", "wall"};
    CHECK_INT(conversion_finish(c, &r, &n, NULL), 0);
    CHECK_INT(n, 2);
    for (size_t i = 0; i < 2 && i < n; i++) {
        cleanup_symbols struct symbols s;
        cleanup_profile struct profile p;
        symbols_init(&s, MAX);
        profile_init(&p, &s);
        CHECK_INT(pprof_decode(r[i].bytes, r[i].len, MAX, &s, &p, NULL), 0);
        CHECK_INT(p.period, periods[i]);
        CHECK(str_is(s.strings[p.period_type.type], types[i]) && str_is(s.strings[p.period_type.unit], "nanoseconds"));
    }
    conversion_free(c);
}

int main(void)
{
    RUN(every_kind_of_event_counts_for_itself);
    RUN(the_reference_counts_as_often_as_the_wall_clock_before);
    RUN(kinds_without_samples_are_not_produced);
    RUN(wall_alone_gives_cpu_for_runnable_threads);
    RUN(delays_are_scaled_from_ticks);
    RUN(settings_outlive_the_first_chunk);
    RUN(samples_by_the_tick_count_for_what_ticks_are_worth);
    RUN(a_wall_recording_weighs_by_its_own_interval);
    RUN(samples_of_the_wall_clock_are_told_by_the_state);
    RUN(a_counter_may_run_beside_the_wall_clock);
    RUN(interval_zero_is_what_the_profiler_makes_of_it);
    RUN(stacks_of_several_chunks_merge);
    RUN(a_damaged_chunk_leaves_no_trace);
    RUN(names_that_outgrow_the_recording_are_other);
    RUN(a_chunk_may_have_millions_of_stacks);
    RUN(what_ids_do_not_name_is_kept_as_unknown);
    RUN(a_stack_without_frames_is_unknown);
    RUN(the_reference_drops_what_it_does_not_know);
    RUN(samples_carry_their_thread_where_asked_for);
    RUN(a_profile_tells_its_period);
    return REPORT();
}
