/* Recordings that were made to take too much: each ends in bounded memory and time, says what was left out, and keeps
 * its totals. */
#include "pprof/limits.h"

#include <malloc.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "base/map.h"
#include "colliding.h"
#include "pprof/converting.h"
#include "pprof/decode.h"
#include "pprof/from_jfr.h"
#include "pprof/profile.h"
#include "pprof/recording.h"
#include "test.h"

enum { POOLS = 7, CLASS = 5, MIB = 1 << 20, MAX = 64 * MIB };

static const struct conversion_options plain = {.event = "cpu", .cpu_ns = 10};
static const char span_types[] =
    "\n201 jdk.CPUTimeSample startTime:11 stackTrace:26* eventThread:22* samplingPeriod:11 "
    "spanId:11 spanName:20";

static double seconds(void)
{
    struct timespec ts;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &ts);
    return (double)ts.tv_sec + (double)ts.tv_nsec / 1e9;
}

static struct chunk_builder begin(const char *more)
{
    char types[8192];
    snprintf(types, sizeof types, "%s%s", recording_types, more);
    return chunk_begin(types);
}

/* The pools of recording.h, and room for `more`, which the caller puts behind them. */
static void put_pools(struct chunk_builder *c, uint64_t more)
{
    chunk_checkpoint(c, 0, POOLS + more);
    recording_pools(c);
}

static void put_end(struct chunk_builder *c)
{
    chunk_event_end(c);
    chunk_end(c);
}

/* `n` stacks of one frame, told apart by their lines; their keys begin at `first`, `step` from each other. */
static void put_stacks(struct chunk_builder *c, uint64_t n, uint64_t first, uint64_t step)
{
    CHUNK_VARINTS(c, 26, n);
    for (uint64_t i = 0; i < n; i++)
        CHUNK_VARINTS(c, first + i * step, 0, 1, 1, 1 + i, 0, 0);
}

/* Sum of the first values of a kind of profile. */
static int64_t total(struct conversion *c, const char *name, size_t *samples)
{
    struct conversion_profile profiles[CONVERSION_PROFILES_MAX];
    size_t n = conversion_profiles(c, profiles);
    int64_t sum = 0;
    for (size_t i = 0; i < n; i++) {
        const struct profile *p = profiles[i].p;
        for (size_t k = 0; strcmp(profiles[i].name, name) == 0 && k < p->sample_count; k++)
            sum += profile_values(p, k)[0];
        if (samples && strcmp(profiles[i].name, name) == 0)
            *samples = p->sample_count;
    }
    return sum;
}

static uint64_t cut(const struct conversion *c, enum cut_reason reason)
{
    return conversion_cuts(c)[reason].count;
}

/* Methods whose names have one hash for everybody: each look-up was a walk over all of them. */
static void names_with_one_hash_take_no_longer(void)
{
    enum { METHODS = 20000, FIRST = 1000, STACK = 40 };
    struct conversion *c = conversion_new(&plain);
    struct chunk_builder chunk = recording_begin();
    char room[COLLIDING_BYTES];
    recording_execution(&chunk, STACK, THREAD_MAIN, STATE_DEFAULT);
    put_pools(&chunk, 3);
    CHUNK_VARINTS(&chunk, 31, METHODS);
    for (unsigned i = 0; i < METHODS; i++) {
        chunk_varint(&chunk, FIRST + i);
        chunk_put_text(&chunk.b, colliding_text(i, room));
    }
    CHUNK_VARINTS(&chunk, 28, METHODS);
    for (unsigned i = 0; i < METHODS; i++)
        CHUNK_VARINTS(&chunk, FIRST + i, CLASS, FIRST + i, 0, 0, 0);
    CHUNK_VARINTS(&chunk, 26, 1, STACK, 0, METHODS / 2);
    for (unsigned i = 0; i < METHODS / 2; i++)
        CHUNK_VARINTS(&chunk, FIRST + 2 * i, 0, 0, 0);
    put_end(&chunk);
    const double start = seconds();
    convert(c, &chunk);
    CHECK(seconds() - start < 1.5);
    CHECK_INT(total(c, "process_cpu", NULL), 10);
    conversion_free(c);
}

/* Keys that a multiplication by a known constant, or none at all, puts side by side. */
static void keys_in_a_row_take_no_longer(void)
{
    enum { STACKS = 100000 };
    static const uint64_t steps[] = {1, 64, UINT64_C(1) << 40, UINT64_C(0xf1de83e19937733d), UINT64_C(1) << 47};
    for (size_t s = 0; s < sizeof steps / sizeof steps[0]; s++) {
        struct conversion *c = conversion_new(&plain);
        struct chunk_builder chunk = recording_begin();
        for (uint64_t i = 0; i < STACKS; i++)
            recording_execution(&chunk, 1000000 + i * steps[s], THREAD_MAIN, STATE_DEFAULT);
        put_pools(&chunk, 1);
        put_stacks(&chunk, STACKS, 1000000, steps[s]);
        put_end(&chunk);
        const double start = seconds();
        convert(c, &chunk);
        CHECK(seconds() - start < 1.5);
        CHECK_INT(total(c, "process_cpu", NULL), STACKS * 10);
        CHECK_INT(cut(c, CUT_MEMORY), 0);
        conversion_free(c);
    }
}

static void put_span_sample(struct chunk_builder *c, uint64_t stack, uint64_t span, const char *name)
{
    chunk_event(c, 201);
    CHUNK_VARINTS(c, 1, stack, THREAD_MAIN, 10, span);
    if (name)
        chunk_text(c, name);
    else
        chunk_byte(c, 0);
    chunk_event_end(c);
}

/* Every stack with every id of a span: the product was kept, however large. */
static void pairs_of_stacks_and_labels_are_bounded(void)
{
    enum { STACKS = 1000, SPANS = 500, FIRST = 1000 };
    struct conversion *c = conversion_new(&plain);
    struct chunk_builder chunk = begin(span_types);
    for (uint64_t i = 0; i < STACKS; i++)
        for (uint64_t k = 0; k < SPANS; k++)
            put_span_sample(&chunk, FIRST + i, 1 + k, NULL);
    put_pools(&chunk, 1);
    put_stacks(&chunk, STACKS, FIRST, 1);
    put_end(&chunk);
    const size_t before = mallinfo2().uordblks;
    convert(c, &chunk);
    const size_t after = mallinfo2().uordblks;
    size_t samples = 0;
    CHECK_INT(total(c, "process_cpu", &samples), INT64_C(10) * STACKS * SPANS);
    CHECK_INT(samples, conversion_limits_agent.samples + 1);
    CHECK_INT(cut(c, CUT_MEMORY), STACKS * SPANS - conversion_limits_agent.samples);
    CHECK(after < before + 40 * (size_t)MIB);
    conversion_free(c);
}

/* Stacks of a thousand frames, each of which takes a few bytes of the recording and thousands in a profile. */
static void what_a_profile_comes_to_is_bounded(void)
{
    enum { STACK = 40, FRAMES = 2000, SPANS = 30000 };
    struct conversion *c = conversion_new(&plain);
    struct chunk_builder chunk = begin(span_types);
    for (uint64_t k = 0; k < SPANS; k++)
        put_span_sample(&chunk, STACK, 1 + k, NULL);
    put_pools(&chunk, 1);
    CHUNK_VARINTS(&chunk, 26, 1, STACK, 0, FRAMES);
    for (uint64_t i = 0; i < FRAMES; i++)
        CHUNK_VARINTS(&chunk, 1, 1 + i, 0, 0);
    put_end(&chunk);
    convert(c, &chunk);
    struct pprof_result *r;
    size_t n;
    struct err err = {0};
    CHECK_INT(conversion_finish(c, &r, &n, &err), 0);
    CHECK_INT(n, 1);
    CHECK(n == 1 && r[0].len < conversion_limits_agent.output + MIB);
    CHECK_INT(total(c, "process_cpu", NULL), INT64_C(10) * SPANS);
    CHECK(cut(c, CUT_MEMORY) > SPANS / 2);
    conversion_free(c);
}

/* Names that differ, and lines of them: the whole fits into what a store takes. */
static void names_in_a_profile_are_bounded(void)
{
    enum { METHODS = 3000, LINES = 4, NAME = 4000, STACK = 40, FIRST = 1000 };
    struct conversion *c = conversion_new(&plain);
    struct chunk_builder chunk = recording_begin();
    char name[NAME + 1];
    memset(name, 'x', NAME);
    name[NAME] = '\0';
    for (uint64_t i = 0; i < METHODS * LINES; i++)
        recording_execution(&chunk, FIRST + i, THREAD_MAIN, STATE_DEFAULT);
    put_pools(&chunk, 3);
    CHUNK_VARINTS(&chunk, 31, METHODS);
    for (uint64_t i = 0; i < METHODS; i++) {
        snprintf(name, sizeof name, "m%05u", (unsigned)i);
        name[6] = 'x';
        recording_named(&chunk, FIRST + i, name);
    }
    CHUNK_VARINTS(&chunk, 28, METHODS);
    for (uint64_t i = 0; i < METHODS; i++)
        CHUNK_VARINTS(&chunk, FIRST + i, CLASS, FIRST + i, 0, 0, 0);
    CHUNK_VARINTS(&chunk, 26, METHODS * LINES);
    for (uint64_t i = 0; i < METHODS * LINES; i++)
        CHUNK_VARINTS(&chunk, FIRST + i, 0, 1, FIRST + i / LINES, 1 + i, 0, 0);
    put_end(&chunk);
    convert(c, &chunk);
    CHECK_INT(total(c, "process_cpu", NULL), INT64_C(10) * METHODS * LINES);
    CHECK(cut(c, CUT_MEMORY) > METHODS);
    struct pprof_result *r;
    size_t n;
    struct err err = {0};
    CHECK_INT(conversion_finish(c, &r, &n, &err), 0);
    CHECK(n == 1 && r[0].len < conversion_limits_agent.text + conversion_limits_agent.output);
    conversion_free(c);
}

/* An interval of one kind after the other where nothing fits any more. */
static void every_kind_has_a_frame_for_the_rest(void)
{
    struct conversion_limits limits = conversion_limits_agent;
    limits.symbols = 600;
    struct conversion *c =
        conversion_new(&(struct conversion_options){.event = "cpu", .cpu_ns = 10, .limits = &limits});
    struct chunk_builder chunk = recording_begin();
    recording_execution(&chunk, STACK_WORK, THREAD_MAIN, STATE_DEFAULT);
    recording_lock(&chunk, STACK_WORK, THREAD_MAIN, 500);
    recording_live(&chunk, STACK_MAIN, THREAD_MAIN);
    recording_malloc(&chunk, STACK_MAIN, THREAD_MAIN, 4000);
    recording_park(&chunk, STACK_MAIN, THREAD_MAIN, 7);
    recording_end(&chunk);
    convert(c, &chunk);
    CHECK_INT(total(c, "process_cpu", NULL), 10);
    CHECK_INT(total(c, "mutex", NULL), 1);
    CHECK_INT(total(c, "memory", NULL), 2);
    CHECK_INT(total(c, "block", NULL), 1);
    CHECK(cut(c, CUT_MEMORY) >= 4);
    conversion_free(c);
}

/* What fell back in a chunk that turns out damaged is taken back all the same. */
static void a_damaged_chunk_at_its_limits_leaves_nothing(void)
{
    enum { STACKS = 300, FIRST = 1000 };
    for (size_t samples = 0; samples < STACKS; samples += 50) {
        struct conversion_limits limits = conversion_limits_agent;
        limits.samples = samples;
        limits.symbols = 3000 + 40 * samples;
        struct conversion *c =
            conversion_new(&(struct conversion_options){.event = "cpu", .cpu_ns = 10, .limits = &limits});
        struct chunk_builder chunk = recording_begin();
        for (uint64_t i = 0; i < STACKS; i++) {
            recording_execution(&chunk, FIRST + i % 200, THREAD_MAIN, STATE_DEFAULT);
            recording_lock(&chunk, FIRST + i, THREAD_MAIN, 500);
        }
        put_pools(&chunk, 1);
        put_stacks(&chunk, STACKS, FIRST, 1);
        chunk_event_end(&chunk);
        chunk_byte(&chunk, 1); /* no event is that short */
        chunk_end(&chunk);
        convert_bad(c, &chunk, "size 1");
        CHECK_INT(total(c, "process_cpu", NULL), 0);
        CHECK_INT(cut(c, CUT_MEMORY), 0);
        struct chunk_builder good = recording_begin();
        recording_execution(&good, STACK_MAIN, THREAD_MAIN, STATE_DEFAULT);
        recording_end(&good);
        convert(c, &good);
        CHECK_INT(total(c, "process_cpu", NULL), 10);
        CHECK_INT(total(c, "mutex", NULL), 0);
        conversion_free(c);
    }
}

static void a_chunk_has_its_time(void)
{
    enum { EVENTS = 100000 };
    struct conversion_limits limits = conversion_limits_agent;
    limits.cpu_ns = 1;
    struct conversion *c =
        conversion_new(&(struct conversion_options){.event = "cpu", .cpu_ns = 10, .limits = &limits});
    struct chunk_builder chunk = recording_begin();
    for (int i = 0; i < EVENTS; i++)
        recording_execution(&chunk, STACK_MAIN, THREAD_MAIN, STATE_DEFAULT);
    recording_end(&chunk);
    convert(c, &chunk);
    CHECK(cut(c, CUT_TIME) > 0);
    CHECK_INT(total(c, "process_cpu", NULL) / 10 + (int64_t)cut(c, CUT_TIME), EVENTS);
    conversion_free(c);
}

static void label_sets_are_bounded_and_remembered(void)
{
    enum { NAMES = 1500, ALLOWED = 1200 };
    struct u64map series = U64MAP_INIT;
    struct conversion_options options = plain;
    options.series = &series;
    options.series_max = ALLOWED;
    for (int round = 0; round < 3; round++) {
        struct conversion *c = conversion_new(&options);
        struct chunk_builder chunk = begin(span_types);
        char name[32];
        for (uint64_t i = 0; i < NAMES; i++) {
            snprintf(name, sizeof name, "span %d", (int)i + (round == 2 ? NAMES : 0));
            put_span_sample(&chunk, STACK_MAIN, 1000 + i, name);
        }
        recording_end(&chunk);
        convert(c, &chunk);
        CHECK_INT(total(c, "process_cpu", NULL), NAMES * 10);
        /* 1,000 of a conversion; of the third's 1,500 other names those that the first left. */
        const uint64_t taken = round < 2 ? conversion_limits_agent.series : ALLOWED - conversion_limits_agent.series;
        CHECK_INT(cut(c, CUT_LABELS), NAMES - taken);
        conversion_free(c);
    }
    CHECK_INT(series.len, ALLOWED);
    u64map_done(&series);
}

static void spans_and_deep_stacks_are_bounded(void)
{
    enum { SPANS = 300, STACK = 40, FRAMES = 100 };
    struct conversion_limits limits = conversion_limits_agent;
    limits.spans = 200;
    limits.frames = 50;
    struct conversion *c =
        conversion_new(&(struct conversion_options){.event = "cpu", .cpu_ns = 10, .limits = &limits});
    struct chunk_builder chunk = begin("\n123 profiler.Span startTime:11 duration:11 eventThread:22* tag:20*");
    for (uint64_t i = 0; i < SPANS; i++) {
        chunk_event(&chunk, 123);
        CHUNK_VARINTS(&chunk, i, 1, THREAD_MAIN, 62);
        chunk_event_end(&chunk);
    }
    recording_execution(&chunk, STACK, THREAD_MAIN, STATE_DEFAULT);
    put_pools(&chunk, 2);
    CHUNK_VARINTS(&chunk, 26, 1, STACK, 0, FRAMES);
    for (uint64_t i = 0; i < FRAMES; i++)
        CHUNK_VARINTS(&chunk, 1, 1 + i, 0, 0);
    CHUNK_VARINTS(&chunk, 20, 1);
    recording_named(&chunk, 62, "tag");
    put_end(&chunk);
    convert(c, &chunk);
    CHECK_INT(cut(c, CUT_SPANS), SPANS - 200);
    CHECK_INT(cut(c, CUT_FRAMES), 1);
    CHECK_INT(total(c, "process_cpu", NULL), 10);
    struct conversion_profile profiles[CONVERSION_PROFILES_MAX];
    CHECK(conversion_profiles(c, profiles) > 0);
    const struct profile *p = profiles[0].p;
    CHECK_INT(p->symbols->stacks[p->samples[0].stack].count, 50);
    conversion_free(c);
}

static void check_times(int64_t start, int64_t duration, int64_t received, int64_t want_start, int64_t want_end)
{
    struct conversion *c = conversion_new(&plain);
    struct chunk_builder chunk = recording_begin();
    chunk.start_ns = start;
    chunk.duration_ns = duration;
    recording_execution(&chunk, STACK_MAIN, THREAD_MAIN, STATE_DEFAULT);
    recording_end(&chunk);
    conversion_received(c, received);
    convert(c, &chunk);
    CHECK_INT(conversion_start_ns(c), want_start);
    CHECK_INT(conversion_end_ns(c), want_end);
    struct pprof_result *r;
    size_t n;
    struct err err = {0};
    CHECK_INT(conversion_finish(c, &r, &n, &err), 0);
    CHECK(n == 1 && r[0].duration_nanos >= 0);
    conversion_free(c);
}

static void a_header_cannot_put_a_profile_anywhere(void)
{
    const int64_t second = 1000000000, now = 1700000000 * second;
    check_times(now - 15 * second, 15 * second, now, now - 15 * second, now);
    check_times(now - 600 * second, 15 * second, now, now - 600 * second, now - 585 * second);
    check_times(now - 172800 * second, 15 * second, now, now - 15 * second, now);
    check_times(now + 86400 * second, 15 * second, now, now - 15 * second, now);
    check_times(now - 15 * second, INT64_MAX, now, now - 15 * second, now - 15 * second);
    check_times(INT64_MIN, INT64_MAX, now, now, now);
    check_times(INT64_MAX, INT64_MAX, now, now, now);
    check_times(INT64_MIN, INT64_MAX, 0, INT64_MIN, -1);
}

static void an_interval_may_be_anything(void)
{
    static const double worths[] = {1.5, 0, -3, 1e300, -1e300, 0.0 / 0.0};
    for (size_t i = 0; i < sizeof worths / sizeof worths[0]; i++) {
        struct conversion *c = conversion_new(&plain);
        struct chunk_builder chunk = recording_begin();
        recording_setting(&chunk, "event", "itimer");
        recording_setting(&chunk, "interval", "9223372036854775807");
        recording_execution(&chunk, STACK_MAIN, THREAD_MAIN, STATE_DEFAULT);
        recording_end(&chunk);
        conversion_itimer_scale(c, worths[i]);
        convert(c, &chunk);
        if (i == 0)
            CHECK_INT(total(c, "process_cpu", NULL), INT64_MAX);
        conversion_free(c);
    }
}

static void check_event(const char *event, const char *want)
{
    struct conversion *c = conversion_new(&plain);
    struct chunk_builder chunk = recording_begin();
    struct conversion_options seen = {0};
    recording_setting(&chunk, "event", event);
    recording_execution(&chunk, STACK_MAIN, THREAD_MAIN, STATE_DEFAULT);
    recording_end(&chunk);
    convert(c, &chunk);
    conversion_settings(c, &seen);
    CHECK_STR(seen.event, want);
    conversion_free(c);
}

static void events_have_names_that_can_be_shown(void)
{
    char name[200];
    memset(name, 'x', sizeof name);
    name[129] = '\0';
    check_event("ctimer", "ctimer");
    check_event("java.lang.Thread.run", "java.lang.Thread.run");
    check_event(name, "other");
    check_event(name + 1, name + 1);
    check_event("cpu\"\n} evil{x=\"", "other");
    check_event("\x1b]0;title\x07", "other");
    check_event("\xc2\x9b\x31m", "other");
    check_event("\xff\xfe", "\xef\xbf\xbd\xef\xbf\xbd"); /* as all texts of recordings */
    check_event("\xc3\xa9v\xc3\xa9nement", "\xc3\xa9v\xc3\xa9nement");
}

static void convert_all(struct chunk_builder *chunk)
{
    struct conversion *c = conversion_new(&plain);
    struct pprof_result *r;
    size_t n;
    struct err err = {0};
    if (conversion_add(c, chunk->b.p, chunk->b.len, &err) == 0)
        (void)!conversion_finish(c, &r, &n, &err);
    conversion_free(c);
}

static size_t address_space(void)
{
    unsigned long pages = 0;
    cleanup_fclose FILE *f = fopen("/proc/self/statm", "re");
    return f && fscanf(f, "%lu", &pages) == 1 ? pages * (size_t)sysconf(_SC_PAGESIZE) : 0;
}

#if defined __SANITIZE_ADDRESS__
enum { SANITIZED = 1 };
#else
enum { SANITIZED = 0 };
#endif

/* With less memory than it wants, whatever that is: refused or cut, and no end of the process. */
static void runs_out_of_memory_softly(void)
{
    enum { STACKS = 1000, SPANS = 400, FIRST = 1000 };
    if (SANITIZED) {
        SKIP(runs_out_of_memory_softly, "AddressSanitizer needs all address space");
        return;
    }
    struct chunk_builder chunk = begin(span_types);
    for (uint64_t i = 0; i < STACKS; i++)
        for (uint64_t k = 0; k < SPANS; k++)
            put_span_sample(&chunk, FIRST + i, 1 + k, NULL);
    put_pools(&chunk, 1);
    put_stacks(&chunk, STACKS, FIRST, 1);
    put_end(&chunk);
    fflush(stdout);
    for (size_t more = MIB / 2; more <= 40 * (size_t)MIB; more += more / 3) {
        const pid_t child = fork();
        if (child == 0) {
            const size_t limit = address_space() + more;
            setrlimit(RLIMIT_AS, &(struct rlimit){limit, limit});
            convert_all(&chunk);
            _exit(0);
        }
        int status = -1;
        CHECK(waitpid(child, &status, 0) == child);
        CHECK_INT(status, 0);
    }
    chunk_done(&chunk);
}

int main(void)
{
    RUN(names_with_one_hash_take_no_longer);
    RUN(keys_in_a_row_take_no_longer);
    RUN(pairs_of_stacks_and_labels_are_bounded);
    RUN(what_a_profile_comes_to_is_bounded);
    RUN(names_in_a_profile_are_bounded);
    RUN(every_kind_has_a_frame_for_the_rest);
    RUN(a_damaged_chunk_at_its_limits_leaves_nothing);
    RUN(a_chunk_has_its_time);
    RUN(label_sets_are_bounded_and_remembered);
    RUN(spans_and_deep_stacks_are_bounded);
    RUN(a_header_cannot_put_a_profile_anywhere);
    RUN(an_interval_may_be_anything);
    RUN(events_have_names_that_can_be_shown);
    RUN(runs_out_of_memory_softly);
    return REPORT();
}
