/* Every event that becomes a profile, and every label and kind of frame that can be asked for. */
#include <errno.h>
#include <inttypes.h>

#include "base/cleanup.h"
#include "base/mem.h"
#include "pprof/converting.h"
#include "pprof/decode.h"
#include "pprof/events.h"
#include "pprof/from_jfr.h"
#include "pprof/normalise.h"
#include "pprof/recording.h"
#include "pprof/text.h"
#include "test.h"

enum { MAX = 1 << 20 };

/* Keys of pools, as those in recording.h. */
enum {
    CLASS_MAIN = 5,
    CLASS_BYTES = 6,
    CLASS_LAMBDA = 7,
    METHOD_WORK = 2,
    STACK_NATIVE = 8,
    STACK_LAMBDA = 9,
    STACK_BARE = 10
};
enum { TAG_ORDER = 61, TAG_STOCK = 62, USER_LOGIN = 71 };
#define MAIN "app/Main.main:10"
#define WORK "app/Main.main:11;app/Main.work:20"

static struct chunk_builder begin(const char *types)
{
    struct buf all = BUF_INIT(MAX);
    buf_printf(&all, "%s%s", recording_types, types);
    struct chunk_builder c = chunk_begin(buf_cstr(&all));
    buf_done(&all);
    return c;
}

static void put(struct chunk_builder *c, uint64_t type, const uint64_t *numbers, size_t n)
{
    chunk_event(c, type);
    chunk_varints(c, numbers, n);
    chunk_event_end(c);
}
#define EVENT(c, type, ...)                                                                                            \
    put((c), (type), (const uint64_t[]){__VA_ARGS__}, sizeof((const uint64_t[]){__VA_ARGS__}) / sizeof(uint64_t))

/* Pools of recording.h, and more: native frames, a lambda, arrays, types of frames. */
static void put_pools(struct chunk_builder *c)
{
    recording_pools(c);
    CHUNK_VARINTS(c, 24, 2); /* types of frames */
    recording_named(c, 0, "JIT compiled");
    recording_named(c, 5, "Kernel");
    CHUNK_VARINTS(c, 26, 3); /* stacks */
    CHUNK_VARINTS(c, STACK_BARE, 0, 2, 14, 0, 0, 5, 15, 0, 0, 3);
    CHUNK_VARINTS(c, STACK_NATIVE, 0, 3, 12, 0, 0, 5, 11, 0, 0, 3, 1, 10, 0, 0);
    CHUNK_VARINTS(c, STACK_LAMBDA, 0, 1, 13, 3, 0, 0);
    CHUNK_VARINTS(c, 28, 5); /* methods */
    CHUNK_VARINTS(c, 14, 14, 20, 16, 0x100, 0);
    CHUNK_VARINTS(c, 15, 14, 21, 13, 0x100, 0);
    CHUNK_VARINTS(c, 11, 11, 12, 13, 0x100, 0);
    CHUNK_VARINTS(c, 12, 12, 15, 16, 0x100, 0);
    CHUNK_VARINTS(c, 13, CLASS_LAMBDA, 4, 3, 1, 0);
    CHUNK_VARINTS(c, 21, 5); /* classes: loader, name, package, modifiers */
    CHUNK_VARINTS(c, 14, 0, 19, 0, 0);
    CHUNK_VARINTS(c, 11, 0, 11, 0, 0);
    CHUNK_VARINTS(c, 12, 0, 14, 0, 0);
    CHUNK_VARINTS(c, CLASS_BYTES, 0, 17, 0, 0);
    CHUNK_VARINTS(c, CLASS_LAMBDA, 0, 18, 0, 0);
    CHUNK_VARINTS(c, 31, 11); /* symbols */
    recording_named(c, 19, "");
    recording_named(c, 20, "do_idle");
    recording_named(c, 21, "itable stub");
    recording_named(c, 11, "libjvm.so");
    recording_named(c, 12, "JVM_Sleep");
    recording_named(c, 13, "()L;");
    recording_named(c, 14, "kernel");
    recording_named(c, 15, "do_syscall_64");
    recording_named(c, 16, "(Lk;)L;");
    recording_named(c, 17, "[[B");
    recording_named(c, 18, "app/Main$$Lambda$14/0x0000000800c0c000");
}

enum { RECORDING_POOLS = 7, MORE_POOLS = 5 };

static void end_jdk(struct chunk_builder *c)
{
    chunk_checkpoint(c, 0, RECORDING_POOLS + MORE_POOLS);
    put_pools(c);
    chunk_event_end(c);
    chunk_end(c);
}

static void end(struct chunk_builder *c)
{
    chunk_checkpoint(c, 0, RECORDING_POOLS + MORE_POOLS + 2);
    put_pools(c);
    CHUNK_VARINTS(c, 20, 2);
    recording_named(c, TAG_ORDER, "order");
    recording_named(c, TAG_STOCK, "stock");
    CHUNK_VARINTS(c, 32, 1);
    recording_named(c, USER_LOGIN, "login");
    chunk_event_end(c);
    chunk_end(c);
}

static void add(struct conversion *c, struct chunk_builder *chunk)
{
    end(chunk);
    convert(c, chunk);
}

static void add_jdk(struct conversion *c, struct chunk_builder *chunk)
{
    end_jdk(chunk);
    convert(c, chunk);
}

/* A profile's stacks with its labels, mappings and values: `stack {key=value} [1 2]`, a line each in the order of the
 * profile. */
static void describe(const struct profile *p, struct buf *out)
{
    const struct symbols *s = p->symbols;
    for (size_t i = 0; i < p->sample_count; i++) {
        const struct pprof_stack *stack = &s->stacks[p->samples[i].stack];
        const struct pprof_labels *labels = &s->label_sets[p->samples[i].labels];
        for (uint32_t k = stack->count; k-- > 0;) {
            const struct pprof_location *l = &s->locations[stack->locations[k]];
            struct str mapping = s->strings[s->functions[l->function].mapping];
            buf_printf(out, "%.*s:%d%s%.*s%s", STR_ARG(symbols_name(s, stack->locations[k])), l->line,
                       mapping.n ? "@" : "", STR_ARG(mapping), k ? ";" : "");
        }
        for (uint32_t k = 0; k < labels->count; k++)
            buf_printf(out, " {%.*s=%.*s}", STR_ARG(s->strings[labels->labels[k].key]),
                       STR_ARG(s->strings[labels->labels[k].str]));
        for (size_t k = 0; k < p->type_count; k++)
            buf_printf(out, "%s%" PRId64, k ? " " : " [", profile_values(p, i)[k]);
        buf_puts(out, "]\n");
    }
}

static void check_profile(struct conversion *c, const char *name, const char *type, const char *want)
{
    struct pprof_result *r;
    size_t n;
    struct buf text = BUF_INIT(MAX);
    CHECK_INT(conversion_finish(c, &r, &n, NULL), 0);
    for (size_t i = 0; i < n; i++) {
        cleanup_symbols struct symbols s;
        cleanup_profile struct profile p;
        symbols_init(&s, MAX);
        profile_init(&p, &s);
        CHECK_INT(pprof_decode(r[i].bytes, r[i].len, MAX, &s, &p, NULL), 0);
        if (strcmp(r[i].name, name) == 0 && p.type_count && str_is(s.strings[p.types[0].type], type))
            describe(&p, &text);
    }
    CHECK_STR(buf_cstr(&text), want);
    buf_done(&text);
}

static void check_period(struct conversion *c, const char *name, const char *type, int64_t want)
{
    struct conversion_profile all[CONVERSION_PROFILES_MAX];
    size_t n = conversion_profiles(c, all), found = 0;
    for (size_t i = 0; i < n; i++) {
        const struct profile *p = all[i].p;
        if (strcmp(all[i].name, name) != 0 || !str_is(p->symbols->strings[p->types[0].type], type))
            continue;
        CHECK_INT(p->period, want);
        found++;
    }
    CHECK_INT(found, 1);
}

static const struct conversion_options plain = {.event = "cpu", .cpu_ns = 10};

static void what_the_reference_drops_has_profiles(void)
{
    struct conversion *c = conversion_new(&plain);
    struct chunk_builder chunk = begin(recording_more_types);
    recording_live(&chunk, STACK_MAIN, THREAD_MAIN);
    EVENT(&chunk, 122, 1, 500, THREAD_MAIN, STACK_WORK, 0xffff);
    EVENT(&chunk, 115, 1, 700, THREAD_MAIN, STACK_WORK, 0);
    EVENT(&chunk, 123, 1, 900, THREAD_GC, TAG_ORDER);
    EVENT(&chunk, 123, 1, 100, THREAD_GC, 0);
    chunk_event(&chunk, 124);
    CHUNK_VARINTS(&chunk, 1, THREAD_MAIN, USER_LOGIN);
    chunk_text(&chunk, "any data");
    chunk_event_end(&chunk);
    add(c, &chunk);
    check_profile(c, "memory", "live", MAIN " [1 64]\n");
    check_profile(c, "mutex", "native_contentions", WORK " [1 500]\n");
    check_profile(c, "trace", "calls", WORK " [1 700]\n");
    check_profile(c, "span", "spans", "order:0 [1 900]\n[untagged]:0 [1 100]\n");
    check_profile(c, "user_event", "events", "login:0 [1]\n");
    conversion_free(c);
}

static void the_reference_mode_has_none_of_them(void)
{
    struct conversion *c = conversion_new(&(struct conversion_options){.event = "cpu", .cpu_ns = 10, .compat = true});
    struct chunk_builder chunk = begin(recording_more_types);
    EVENT(&chunk, 122, 1, 500, THREAD_MAIN, STACK_WORK, 0xffff);
    EVENT(&chunk, 115, 1, 700, THREAD_MAIN, STACK_WORK, 0);
    EVENT(&chunk, 123, 1, 900, THREAD_MAIN, TAG_ORDER);
    recording_malloc(&chunk, STACK_MAIN, THREAD_MAIN, 100);
    EVENT(&chunk, 121, 9, THREAD_MAIN, 0, 0xaa);
    add(c, &chunk);
    struct conversion_profile all[CONVERSION_PROFILES_MAX];
    CHECK_INT(conversion_profiles(c, all), 1);
    check_profile(c, "memory", "malloc_objects", MAIN " [1 100]\n");
    conversion_free(c);
}

static void jdk_setting(struct chunk_builder *c, uint64_t of, const char *value)
{
    chunk_event(c, 108);
    CHUNK_VARINTS(c, 0, of);
    chunk_text(c, "period");
    chunk_text(c, value);
    chunk_event_end(c);
}

static void the_jdks_samples_weigh_their_period(void)
{
    struct conversion *c = conversion_new(&(struct conversion_options){.event = ""});
    struct chunk_builder chunk = begin(recording_jdk_types);
    recording_execution(&chunk, STACK_MAIN, THREAD_MAIN, STATE_RUNNABLE);
    EVENT(&chunk, 152, 1, THREAD_MAIN, STACK_WORK, STATE_RUNNABLE);
    EVENT(&chunk, 115, 1, 700, THREAD_MAIN, STACK_MAIN, METHOD_WORK); /* the stack is the caller's */
    jdk_setting(&chunk, 101, "20 ms");                                /* anywhere in the chunk */
    jdk_setting(&chunk, 152, "1 s");
    jdk_setting(&chunk, 106, "everyChunk");
    add_jdk(c, &chunk);
    check_profile(c, "process_cpu", "cpu", MAIN " [20000000]\n");
    check_profile(c, "native_method", "native", WORK " [1000000000]\n");
    check_profile(c, "trace", "calls", MAIN ";app/Main.work:0 [1 700]\n");
    check_period(c, "process_cpu", "cpu", 20000000);
    conversion_free(c);
}

/* Both at once would count twice. */
static void cpu_time_samples_win_over_the_jdks_other_sampler(void)
{
    struct conversion *c = conversion_new(&(struct conversion_options){.event = ""});
    struct chunk_builder chunk = begin(recording_jdk_types);
    chunk.ticks_per_second = 2000000000;
    recording_execution(&chunk, STACK_MAIN, THREAD_MAIN, STATE_RUNNABLE);
    jdk_setting(&chunk, 101, "20 ms");
    chunk_event(&chunk, 151);
    CHUNK_VARINTS(&chunk, 1, STACK_WORK, THREAD_MAIN);
    chunk_byte(&chunk, 0);
    CHUNK_VARINTS(&chunk, 20000000);
    chunk_byte(&chunk, 0);
    chunk_event_end(&chunk);
    chunk_event(&chunk, 151); /* without a stack: the time was spent all the same */
    CHUNK_VARINTS(&chunk, 1, 0, THREAD_MAIN);
    chunk_byte(&chunk, 1);
    CHUNK_VARINTS(&chunk, 20000000);
    chunk_byte(&chunk, 0);
    chunk_event_end(&chunk);
    add_jdk(c, &chunk);
    check_profile(c, "process_cpu", "cpu", WORK " [10000000]\n[unknown]:0 [10000000]\n");
    check_period(c, "process_cpu", "cpu", 10000000);
    conversion_free(c);
}

static void what_the_recorder_lost_is_counted(void)
{
    cleanup_free char *types = xasprintf("%s%s\n153 jdk.CPUTimeSamplesLost startTime:11 lostSamples:10 eventThread:22*",
                                         recording_types, recording_jdk_types);
    for (int compat = 0; compat < 2; compat++) {
        struct conversion *c = conversion_new(&(struct conversion_options){.event = "", .compat = compat});
        struct chunk_builder chunk = chunk_begin(types);
        EVENT(&chunk, 153, 1, 7, THREAD_MAIN);
        EVENT(&chunk, 153, 1, 5, THREAD_MAIN);
        EVENT(&chunk, 153, 1, UINT32_MAX, THREAD_MAIN); /* -1: nonsense */
        recording_end(&chunk);
        convert(c, &chunk);
        CHECK_INT(conversion_lost(c), compat ? 0 : 12);
        conversion_free(c);
    }
}

/* What async-profiler was told in a recording before means nothing for the JDK's, and the other way round. */
static void the_jdks_sampler_has_settings_of_its_own(void)
{
    static const char *const engines[] = {"wall", "cache-misses", "cpu"};
    for (size_t i = 0; i < sizeof engines / sizeof *engines; i++) {
        struct conversion *c = conversion_new(&plain);
        struct chunk_builder chunk = begin(recording_more_types);
        recording_setting(&chunk, "event", engines[i]);
        recording_setting(&chunk, "interval", "5");
        recording_setting(&chunk, "wall", "7");
        add(c, &chunk);
        chunk = begin(recording_jdk_types);
        jdk_setting(&chunk, 101, "20 ms");
        recording_execution(&chunk, STACK_WORK, THREAD_MAIN, STATE_RUNNABLE);
        add_jdk(c, &chunk);
        check_profile(c, "process_cpu", "cpu", WORK " [20000000]\n");
        check_profile(c, "wall", "wall", "");
        check_period(c, "process_cpu", "cpu", 20000000);
        chunk = begin(recording_more_types); /* the first recording goes on */
        recording_wall(&chunk, STACK_MAIN, THREAD_MAIN, STATE_SLEEPING, 1);
        add(c, &chunk);
        check_profile(c, "wall", "wall", MAIN " [7]\n");
        conversion_free(c);
    }
}

static void counters_are_no_time(void)
{
    struct conversion *c = conversion_new(&plain);
    struct chunk_builder chunk = begin(recording_more_types);
    recording_setting(&chunk, "event", "cache-misses");
    recording_setting(&chunk, "interval", "0");
    recording_execution(&chunk, STACK_MAIN, THREAD_MAIN, STATE_DEFAULT);
    recording_execution(&chunk, STACK_MAIN, THREAD_MAIN, STATE_DEFAULT);
    add(c, &chunk);
    check_profile(c, "event", "samples", MAIN " [2 2000]\n");
    check_profile(c, "process_cpu", "cpu", "");
    check_period(c, "event", "samples", 1000);
    conversion_free(c);
}

static void allocations_tell_their_interval(void)
{
    struct conversion *c = conversion_new(&plain);
    struct chunk_builder chunk = begin(recording_more_types);
    recording_setting(&chunk, "alloc", "0");
    recording_setting(&chunk, "nativemem", "4096");
    recording_tlab(&chunk, STACK_MAIN, THREAD_MAIN, 1000);
    recording_malloc(&chunk, STACK_MAIN, THREAD_MAIN, 100);
    recording_lock(&chunk, STACK_MAIN, THREAD_MAIN, 100);
    add(c, &chunk);
    check_period(c, "memory", "alloc_in_new_tlab_objects", 524287);
    check_period(c, "memory", "malloc_objects", 4096);
    check_period(c, "mutex", "contentions", 1);
    struct conversion_options carried = {0};
    conversion_settings(c, &carried);
    CHECK_INT(carried.alloc_bytes, 524287);
    CHECK_INT(carried.malloc_bytes, 4096);
    conversion_free(c);
}

static void put_malloc(struct chunk_builder *c, uint64_t time, uint64_t address, uint64_t stack, uint64_t size)
{
    EVENT(c, 120, time, THREAD_MAIN, stack, address, size);
}

static void put_free(struct chunk_builder *c, uint64_t time, uint64_t address)
{
    EVENT(c, 121, time, THREAD_MAIN, 0, address);
}

/* Events of a chunk are not in the order of time. */
static void native_memory_that_is_not_freed_is_live(void)
{
    struct conversion *c = conversion_new(&plain);
    struct chunk_builder chunk = begin(recording_more_types);
    put_free(&chunk, 20, 0xaa);
    put_malloc(&chunk, 10, 0xaa, STACK_MAIN, 100); /* freed at 20 */
    put_malloc(&chunk, 30, 0xbb, STACK_MAIN, 200); /* allocated again where it was freed */
    put_free(&chunk, 25, 0xbb);
    put_malloc(&chunk, 15, 0xbb, STACK_WORK, 999);
    put_malloc(&chunk, 40, 0xcc, STACK_WORK, 300); /* freed in the next chunk */
    put_malloc(&chunk, 41, 0xdd, STACK_WORK, 400);
    add(c, &chunk);
    chunk = begin(recording_more_types);
    chunk.start_ns += 1000;
    put_free(&chunk, 5, 0xcc);
    put_free(&chunk, 6, 0xee);
    add(c, &chunk);
    check_profile(c, "memory", "malloc_objects", MAIN " [2 300]\n" WORK " [3 1699]\n");
    struct conversion_profile all[CONVERSION_PROFILES_MAX];
    CHECK_INT(conversion_profiles(c, all), 2);
    CHECK_INT(all[0].samples, 2);
    struct buf text = BUF_INIT(MAX);
    pprof_text(all[0].p, PPROF_TEXT_REFERENCE, &text); /* sorted: blocks come in no order */
    CHECK_STR(buf_cstr(&text), MAIN " [1 200]\n" WORK " [1 400]");
    buf_done(&text);
    conversion_free(c);
}

static void add_bad(struct conversion *c, struct chunk_builder *chunk, const char *why)
{
    end(chunk);
    convert_bad(c, chunk, why);
}

static void a_damaged_chunk_neither_allocates_nor_frees(void)
{
    struct conversion *c = conversion_new(&plain);
    struct chunk_builder chunk = begin(recording_more_types);
    put_malloc(&chunk, 10, 0xaa, STACK_MAIN, 100);
    put_free(&chunk, 10, 0xee);
    add(c, &chunk);
    chunk = begin(recording_more_types);
    put_malloc(&chunk, 20, 0xaa, STACK_WORK, 200);
    put_malloc(&chunk, 20, 0xbb, STACK_WORK, 400);
    put_free(&chunk, 30, 0xaa);
    buf_append(&chunk.b, "\0\0\0\0\0\0", 6); /* a hole in the file */
    add_bad(c, &chunk, "size 0");
    check_profile(c, "memory", "malloc_objects", MAIN " [1 100]\n");
    check_profile(c, "memory", "malloc_live_objects", MAIN " [1 100]\n");
    conversion_free(c);
}

/* What cannot be read matters where there is something to read. */
static void a_type_without_events_may_be_anything(void)
{
    static const char types[] =
        "\n32 profiler.types.UserEventType name:20\n121 profiler.Free startTime:11 odd:99 address:11";
    struct conversion *c = conversion_new(&plain);
    struct chunk_builder chunk = begin(types);
    put_malloc(&chunk, 10, 0xaa, STACK_MAIN, 100);
    add(c, &chunk);
    chunk = begin(types);
    put_malloc(&chunk, 10, 0xaa, STACK_MAIN, 100);
    put_free(&chunk, 10, 0xaa);
    add_bad(c, &chunk, "not described");
    check_profile(c, "memory", "malloc_objects", MAIN " [1 100]\n");
    conversion_free(c);
}

static void without_any_free_nothing_is_said_of_leaks(void)
{
    struct conversion *c = conversion_new(&plain);
    struct chunk_builder chunk = begin(recording_more_types);
    put_malloc(&chunk, 10, 0xaa, STACK_MAIN, 100);
    add(c, &chunk);
    struct conversion_profile all[CONVERSION_PROFILES_MAX];
    CHECK_INT(conversion_profiles(c, all), 1);
    conversion_free(c);
}

static void sample_at(struct chunk_builder *c, uint64_t time, uint64_t stack, uint64_t thread)
{
    EVENT(c, 101, time, thread, stack, STATE_DEFAULT);
}

static void samples_name_the_innermost_span_around_them(void)
{
    struct conversion *c = conversion_new(&plain);
    struct chunk_builder chunk = begin(recording_more_types);
    sample_at(&chunk, 5, STACK_MAIN, THREAD_MAIN);
    sample_at(&chunk, 15, STACK_MAIN, THREAD_MAIN);
    sample_at(&chunk, 25, STACK_MAIN, THREAD_MAIN);
    sample_at(&chunk, 35, STACK_MAIN, THREAD_MAIN);
    sample_at(&chunk, 25, STACK_WORK, THREAD_GC); /* another thread */
    sample_at(&chunk, 50, STACK_WORK, THREAD_MAIN);
    EVENT(&chunk, 123, 20, 10, THREAD_MAIN, TAG_STOCK); /* spans come when they end */
    EVENT(&chunk, 123, 10, 40, THREAD_MAIN, TAG_ORDER);
    add(c, &chunk);
    check_profile(c, "process_cpu", "cpu",
                  MAIN " [10]\n" MAIN " {span_name=order} [20]\n" MAIN " {span_name=stock} [10]\n" WORK " [20]\n");
    conversion_free(c);
}

/* Pyroscope's fork of async-profiler. */
static struct chunk_builder begin_fork(void)
{
    static const char state[] = "state:25*\n102";
    const char *at = strstr(recording_types, state);
    struct buf all = BUF_INIT(MAX);
    buf_append(&all, recording_types, (size_t)(at - recording_types));
    buf_printf(&all, "state:25* contextId:11 spanId:11 spanName:11\n102%s%s", at + sizeof state - 1,
               recording_more_types);
    struct chunk_builder c = chunk_begin(buf_cstr(&all));
    buf_done(&all);
    return c;
}

/* contexts: {7: {1: 2}}; strings: {1: "route", 2: "/cart", 3: "checkout"}. */
static const char snapshot[] = "\x0a\x0a\x08\x07\x12\x06\x0a\x04\x08\x01\x10\x02"
                               "\x12\x09\x08\x01\x12\x05route"
                               "\x12\x09\x08\x02\x12\x05/cart"
                               "\x12\x0c\x08\x03\x12\x08"
                               "checkout";

static void contexts_and_spans_of_pyroscopes_agent_are_labels(void)
{
    for (int with = 0; with < 2; with++) {
        struct conversion *c = conversion_new(&plain);
        struct chunk_builder chunk = begin_fork();
        struct err err = {0};
        CHECK(!with || conversion_labels(c, STR(snapshot), &err) == 0);
        CHECK_STR(err.text, "");
        EVENT(&chunk, 101, 1, THREAD_MAIN, STACK_MAIN, STATE_DEFAULT, 7, 0xabc, 3);
        EVENT(&chunk, 101, 1, THREAD_MAIN, STACK_MAIN, STATE_DEFAULT, 8, 0, 0);
        add(c, &chunk);
        check_profile(c, "process_cpu", "cpu",
                      with ? MAIN " {profile_id=0000000000000abc} {span_name=checkout} {route=/cart} [10]\n" MAIN
                                  " [10]\n"
                           : MAIN " {profile_id=0000000000000abc} [10]\n" MAIN " [10]\n");
        conversion_free(c);
    }
}

static void damaged_labels_are_refused_and_left_out(void)
{
    struct conversion *c = conversion_new(&plain);
    struct chunk_builder chunk = begin_fork();
    struct err err = {0};
    CHECK_INT(conversion_labels(c, (struct str){snapshot, sizeof snapshot - 4}, &err), -EBADMSG);
    CHECK_STR(err.text, "labels: truncated or malformed");
    EVENT(&chunk, 101, 1, THREAD_MAIN, STACK_MAIN, STATE_DEFAULT, 7, 0, 3);
    add(c, &chunk);
    check_profile(c, "process_cpu", "cpu", MAIN " [10]\n");
    conversion_free(c);
}

static void classes_are_labels_where_asked_for(void)
{
    struct conversion *c = conversion_new(
        &(struct conversion_options){.event = "cpu", .cpu_ns = 10, .allocated_class = true, .lock_class = true});
    struct chunk_builder chunk = begin(recording_more_types);
    EVENT(&chunk, 102, 1, THREAD_MAIN, STACK_MAIN, CLASS_BYTES, 16, 1000);
    EVENT(&chunk, 102, 1, THREAD_MAIN, STACK_MAIN, CLASS_LAMBDA, 16, 1000);
    EVENT(&chunk, 102, 1, THREAD_MAIN, STACK_MAIN, 99, 16, 1000);
    EVENT(&chunk, 118, 1, THREAD_MAIN, STACK_MAIN, CLASS_MAIN, 64, 0);
    EVENT(&chunk, 104, 1, 500, THREAD_MAIN, STACK_MAIN, CLASS_MAIN, 0, 0);
    put_malloc(&chunk, 10, 5, STACK_MAIN, 100); /* its address is no class */
    add(c, &chunk);
    check_profile(c, "memory", "alloc_in_new_tlab_objects",
                  MAIN " {allocated_class=byte[][]} [1 1000]\n" MAIN
                       " {allocated_class=app.Main$$Lambda_} [1 1000]\n" MAIN " [1 1000]\n");
    check_profile(c, "memory", "live", MAIN " {allocated_class=app.Main} [1 64]\n");
    check_profile(c, "mutex", "contentions", MAIN " {lock_class=app.Main} [1 500]\n");
    check_profile(c, "memory", "malloc_objects", MAIN " [1 100]\n");
    conversion_free(c);
}

static void thread_names_have_a_cap(void)
{
    struct conversion *c = conversion_new(&(struct conversion_options){
        .event = "cpu", .cpu_ns = 10, .per_thread = true, .raw_threads = true, .threads_max = 1});
    for (int i = 0; i < 2; i++) {
        struct chunk_builder chunk = begin(recording_more_types);
        sample_at(&chunk, 1, STACK_MAIN, THREAD_GC);
        sample_at(&chunk, 1, STACK_MAIN, THREAD_MAIN);
        add(c, &chunk);
    }
    check_profile(c, "process_cpu", "cpu", MAIN " {thread=GC Thread#0} [20]\n" MAIN " {thread=[other]} [20]\n");
    conversion_free(c);
}

static void check_frames_of(const uint64_t *stacks, size_t n, struct conversion_options options, const char *want)
{
    options.event = "cpu";
    options.cpu_ns = 10;
    struct conversion *c = conversion_new(&options);
    struct chunk_builder chunk = begin(recording_more_types);
    for (size_t i = 0; i < n; i++)
        sample_at(&chunk, 1, stacks[i], THREAD_MAIN);
    add(c, &chunk);
    check_profile(c, "process_cpu", "cpu", want);
    conversion_free(c);
}

static void check_frames(struct conversion_options options, const char *want)
{
    check_frames_of((const uint64_t[]){STACK_NATIVE, STACK_LAMBDA, STACK_CUT}, 3, options, want);
}

static void check_bare(struct conversion_options options, const char *want)
{
    check_frames_of((const uint64_t[]){STACK_BARE}, 1, options, want);
}

/* In no library, as most recordings have the kernel's functions. */
static void functions_of_the_kernel_are_told_from_stubs(void)
{
    check_bare((struct conversion_options){0}, ".itable stub:0;kernel.do_idle:0 [10]\n");
    check_bare((struct conversion_options){.raw_names = true}, ".itable stub:0;.do_idle:0 [10]\n");
    check_bare((struct conversion_options){.compat = true}, ".itable stub:0;.do_idle:0 [10]\n");
    check_bare((struct conversion_options){.libraries = true},
               ".itable stub:0;kernel.do_idle:0@[kernel.kallsyms] [10]\n");
}

static void frames_are_told_as_asked_for(void)
{
    check_frames((struct conversion_options){0}, MAIN ";libjvm.so.JVM_Sleep:0;kernel.do_syscall_64:0 [10]\n"
                                                      "app/Main$$Lambda_.work:3 [10]\n"
                                                      "app/Main.work:0;[unknown]:1 [10]\n");
    check_frames((struct conversion_options){.no_lines = true, .raw_names = true},
                 "app/Main.main:0;libjvm.so.JVM_Sleep:0;kernel.do_syscall_64:0 [10]\n"
                 "app/Main$$Lambda$14/0x0000000800c0c000.work:0 [10]\n"
                 "app/Main.work:0;[unknown]:0 [10]\n");
    check_frames((struct conversion_options){.frame_types = true, .mark_truncated = true},
                 "app/Main.main_[j]:10;libjvm.so.JVM_Sleep:0;kernel.do_syscall_64_[k]:0 [10]\n"
                 "app/Main$$Lambda_.work_[j]:3 [10]\n"
                 "[truncated]:0;app/Main.work_[j]:0;[unknown]_[j]:1 [10]\n");
    check_frames((struct conversion_options){.libraries = true},
                 MAIN ";libjvm.so.JVM_Sleep:0@libjvm.so;kernel.do_syscall_64:0@[kernel.kallsyms] [10]\n"
                      "app/Main$$Lambda_.work:3 [10]\n"
                      "app/Main.work:0;[unknown]:1 [10]\n");
}

/* All of it is taken back. */
static void a_damaged_chunk_leaves_no_blocks_or_spans(void)
{
    struct conversion *c = conversion_new(&plain);
    struct chunk_builder chunk = begin(recording_more_types);
    put_malloc(&chunk, 10, 0xaa, STACK_MAIN, 100);
    put_free(&chunk, 9, 0xbb);
    EVENT(&chunk, 123, 10, 40, THREAD_MAIN, TAG_ORDER);
    buf_append(&chunk.b, "\0\0\0", 3);
    end(&chunk);
    CHECK_INT(conversion_add(c, chunk.b.p, chunk.b.len, NULL), -EBADMSG);
    chunk_done(&chunk);
    struct conversion_profile all[CONVERSION_PROFILES_MAX];
    CHECK_INT(conversion_profiles(c, all), 0);
    conversion_free(c);
}

static char *read_page(void)
{
    char *text = xcalloc(1, MAX);
    cleanup_fclose FILE *f = fopen(SOURCE_ROOT "/docs/profiles.md", "re");
    CHECK(f && fread(text, 1, MAX - 1, f) > 0);
    return text;
}

static void check_on_page(const char *page, const char *row)
{
    if (!strstr(page, row))
        FAIL_("docs/profiles.md has no %s", row);
}

static unsigned count_on_page(const char *page, const char *row_start)
{
    unsigned n = 0;
    for (; (page = strstr(page, row_start)); page++)
        n++;
    return n;
}

/* Every profile and event has its row on docs/profiles.md, as it is, and no other has; names become what the page
 * says. */
static void the_page_for_users_is_true(void)
{
    cleanup_free char *page = read_page();
    for (size_t k = 0; k < KIND_COUNT; k++) {
        const struct profile_kind_def *d = &profile_kinds[k];
        struct buf row = BUF_INIT(MAX);
        buf_printf(&row, "\n| `%s` | `%s/%s`", d->name, d->types[0][0], d->types[0][1]);
        if (d->types[1][0])
            buf_printf(&row, ", `%s/%s`", d->types[1][0], d->types[1][1]);
        buf_printf(&row, " | `%s/%s` |", d->period[0], d->period[1]);
        check_on_page(page, buf_cstr(&row));
        buf_done(&row);
    }
    for (size_t i = 0; i < CLASS_COUNT; i++) {
        cleanup_free char *row = xasprintf("\n| `%s` |", event_classes[i].type);
        check_on_page(page, row);
    }
    const char *events = strstr(page, "\n## Events");
    CHECK(events &&
          count_on_page(page, "\n| `") - count_on_page(events, "\n| `") == KIND_COUNT + 1u); /* and the head */
    CHECK_INT(count_on_page(page, "\n| `jdk.") + count_on_page(page, "\n| `profiler.") +
                  count_on_page(page, "\n| `datadog."),
              CLASS_COUNT);
    struct buf name = BUF_INIT(MAX);
    char from[128], to[128];
    unsigned names = 0;
    for (const char *p = strstr(page, "| from | becomes |"); p && (p = strstr(p, "\n| `")); p++) {
        if (sscanf(p, "\n| `%127[^`]` | `%127[^`]` |", from, to) != 2)
            continue;
        buf_reset(&name);
        CHECK(normalise(NORMALISE_SYMBOLS, str_of(from), &name));
        CHECK_STR(buf_cstr(&name), to);
        names++;
    }
    CHECK(names > 5);
    buf_done(&name);
}

static void kinds_are_named_as_profiles_are(void)
{
    static const struct {
        const char *text;
        uint32_t kinds;
    } rows[] = {
        {"process_cpu", 1U << KIND_CPU},
        {"cpu/nanoseconds", 1U << KIND_CPU},
        {"process_cpu:cpu", 1U << KIND_CPU},
        {"mutex", 1U << KIND_LOCK | 1U << KIND_NATIVE_LOCK},
        {"mutex:delay/nanoseconds", 1U << KIND_LOCK},
        {"delay", 1U << KIND_LOCK | 1U << KIND_PARK},
        {"malloc_live_bytes", 1U << KIND_MALLOC_LIVE},
        {"wall:cpu", 0},
        {"cpu/bytes", 0},
        {"", 0},
    };
    for (size_t i = 0; i < ARRAY_LEN(rows); i++)
        CHECK_INT(profile_kinds_named(str_of(rows[i].text)), rows[i].kinds);
}

int main(void)
{
    RUN(kinds_are_named_as_profiles_are);
    RUN(the_page_for_users_is_true);
    RUN(what_the_reference_drops_has_profiles);
    RUN(the_reference_mode_has_none_of_them);
    RUN(the_jdks_samples_weigh_their_period);
    RUN(cpu_time_samples_win_over_the_jdks_other_sampler);
    RUN(what_the_recorder_lost_is_counted);
    RUN(the_jdks_sampler_has_settings_of_its_own);
    RUN(counters_are_no_time);
    RUN(allocations_tell_their_interval);
    RUN(native_memory_that_is_not_freed_is_live);
    RUN(a_damaged_chunk_neither_allocates_nor_frees);
    RUN(a_type_without_events_may_be_anything);
    RUN(without_any_free_nothing_is_said_of_leaks);
    RUN(samples_name_the_innermost_span_around_them);
    RUN(contexts_and_spans_of_pyroscopes_agent_are_labels);
    RUN(damaged_labels_are_refused_and_left_out);
    RUN(classes_are_labels_where_asked_for);
    RUN(thread_names_have_a_cap);
    RUN(frames_are_told_as_asked_for);
    RUN(functions_of_the_kernel_are_told_from_stubs);
    RUN(a_damaged_chunk_leaves_no_blocks_or_spans);
    return REPORT();
}
