#include "pprof/settings.h"

#include <stdlib.h>

#include "base/mem.h"
#include "base/str.h"
#include "test.h"

enum { NAME_MAX_BYTES = 20 };

static struct recorded_settings of_event(const char *event)
{
    return (struct recorded_settings){.event = xstrdup(event), .cpu_ns = 7};
}

static void take(struct recorded_settings *s, const char *name, const char *value)
{
    settings_take(s, settings_known(str_of(name)), str_of(value), NAME_MAX_BYTES);
}

static void a_recordings_own_words_are_taken(void)
{
    struct recorded_settings s = of_event("");
    take(&s, "event", "wall");
    take(&s, "interval", "20000000");
    take(&s, "alloc", "524288");
    take(&s, "nativemem", "1024");
    take(&s, "chunktime", "60"); /* nobody needs it */
    CHECK_STR(s.event, "wall");
    CHECK_INT(s.cpu_ns, 20000000);
    CHECK_INT(s.alloc_bytes, 524288);
    CHECK_INT(s.malloc_bytes, 1024);
    take(&s, "interval", "soon");
    take(&s, "interval", "-5");
    CHECK_INT(s.cpu_ns, 20000000);
    recorded_settings_done(&s);
}

/* What async-profiler does when told interval 0 depends on what it samples. */
static void an_interval_of_zero_is_the_profilers_default(void)
{
    static const struct {
        const char *event;
        int64_t want;
    } cases[] = {
        {"cpu", 10000000},
        {"itimer", 10000000},
        {"ctimer", 10000000},
        {"cpu-clock", 10000000},
        {"wall", 50000000},
        {"page-faults", 1},
        {"context-switches", 2},
        {"cycles", 1000000},
        {"instructions", 1000000},
        {"cache-references", 1000000},
        {"cache-misses", 1000},
        {"branch-instructions", 1000000},
        {"branch-misses", 1000},
        {"bus-cycles", 1000000},
        {"ref-cycles", 1000000},
        {"L1-dcache-load-misses", 1000000},
        {"LLC-load-misses", 1000},
        {"dTLB-load-misses", 1000},
        {"r01c2", 1000},
        {"r0x1c2", 1000},
        {"read", 1000}, /* the register 0xead, for the profiler, too */
        {"recv", 1},
        {"r", 1},
        {"r-1", 1},
        {"cpu/event=0xc2,umask=1/", 1000},
        {"cpu/rc2/", 1000},
        {"/usr/", 1},
        {"cpu/", 1},
        {"mem:main/8", 1},
        {"mem:a/b/", 1},
        {"trace:42", 1},
        {"kprobe:do_sys_open", 1},
        {"uprobe:/usr/lib/x/", 1},
        {"sched:sched_switch", 1},
        {"java.lang.Thread.start", 1},
        {"malloc", 1},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct recorded_settings s = of_event(cases[i].event);
        take(&s, "interval", "0");
        CHECK_INT(s.cpu_ns, cases[i].want);
        recorded_settings_done(&s);
    }
}

/* `wall` alone is the event, as async-profiler's engine is the wall clock then; beside an event it is not. */
static void wall_clock_samples_alone_are_the_event(void)
{
    struct recorded_settings s = of_event("cpu");
    take(&s, "event", "");
    CHECK_STR(s.event, "");
    take(&s, "wall", "20000000");
    CHECK_STR(s.event, "wall");
    CHECK_INT(s.wall_ns, 20000000);
    CHECK(settings_wall(&s) && !settings_both(&s));
    take(&s, "event", ""); /* another recording */
    CHECK(!settings_wall(&s));
    take(&s, "wall", "0");
    CHECK(settings_wall(&s));
    CHECK_INT(s.wall_ns, 50000000);
    take(&s, "event", "cpu");
    take(&s, "wall", "20000000");
    CHECK_STR(s.event, "cpu");
    recorded_settings_done(&s);
    /* Who does not know what a recording is about says nothing of its event. */
    s = of_event("");
    take(&s, "wall", "20000000");
    CHECK_STR(s.event, "");
    recorded_settings_done(&s);
}

static void another_recording_starts_from_what_was_told(void)
{
    struct recorded_settings s = of_event("cpu"), initial = of_event("");
    initial.jdk_ns = 11;
    initial.native_method_ns = 12;
    s.cpu_ns = s.alloc_bytes = s.malloc_bytes = s.jdk_ns = s.native_method_ns = 99;
    settings_restart(&s, &initial);
    CHECK_INT(s.cpu_ns, 7);
    CHECK_INT(s.alloc_bytes, 0);
    CHECK_INT(s.malloc_bytes, 0);
    CHECK_INT(s.jdk_ns, 99);
    settings_restart_jdk(&s, &initial);
    CHECK_INT(s.jdk_ns, 11);
    CHECK_INT(s.native_method_ns, 12);
    recorded_settings_done(&s);
    recorded_settings_done(&initial);
}

static void what_cannot_be_an_event_is_other(void)
{
    static const struct {
        const char *value, *want;
    } cases[] = {{"page-faults", "page-faults"},
                 {"with\nline", "other"},
                 {"\xff", "other"},
                 {"\xc2\x85", "other"}, /* U+0085, the end of a line */
                 {"longer than twenty bytes", "other"}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct recorded_settings s = of_event("cpu");
        take(&s, "event", cases[i].value);
        CHECK_STR(s.event, cases[i].want);
        recorded_settings_done(&s);
    }
    CHECK_STR(settings_own_event("itimer"), "itimer");
    CHECK_STR(settings_own_event("cycles"), "cycles");
    CHECK(!settings_own_event("page-faults"));
}

static void what_is_sampled_decides_what_samples_mean(void)
{
    static const struct {
        const char *event;
        int64_t wall_ns;
        bool wall, counter, both, ticks;
        int64_t weight;
    } cases[] = {
        {"cpu", 0, false, false, false, false, 7},  {"itimer", 0, false, false, false, true, 7},
        {"cpu", 50, false, false, true, false, 50}, {"wall", 50, true, false, false, false, 50},
        {"wall", 0, true, false, false, false, 7},  {"cycles", 0, false, true, false, false, 7},
        {"", 0, false, false, false, false, 7},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct recorded_settings s = of_event(cases[i].event);
        s.wall_ns = cases[i].wall_ns;
        CHECK_INT(settings_wall(&s), cases[i].wall);
        CHECK_INT(settings_counter(&s), cases[i].counter);
        CHECK_INT(settings_both(&s), cases[i].both);
        CHECK_INT(settings_ticks(&s), cases[i].ticks);
        CHECK_INT(settings_wall_weight(&s), cases[i].weight);
        recorded_settings_done(&s);
    }
}

static void the_jdks_recorder_has_periods_by_type(void)
{
    struct recorded_settings s = of_event("");
    CHECK(settings_known_jdk(STR("jdk.ExecutionSample")));
    CHECK(!settings_known_jdk(STR("jdk.GarbageCollection")));
    settings_take_jdk(&s, STR("jdk.ExecutionSample"), STR("period"), STR("20 ms"));
    settings_take_jdk(&s, STR("jdk.NativeMethodSample"), STR("period"), STR("1 s"));
    settings_take_jdk(&s, STR("jdk.ExecutionSample"), STR("period"), STR("everyChunk"));
    settings_take_jdk(&s, STR("jdk.ExecutionSample"), STR("enabled"), STR("5 ms"));
    settings_take_jdk(&s, STR("jdk.ExecutionSample"), STR("period"), STR("99999999999999 d"));
    CHECK_INT(s.jdk_ns, 20000000);
    CHECK_INT(s.native_method_ns, 1000000000);
    recorded_settings_done(&s);
}

/* Whole ones, and at least one. */
static void the_jdks_sampler_works_in_milliseconds(void)
{
    static const struct {
        const char *period;
        int64_t want;
    } cases[] = {{"1 ns", 1000000},   {"999 us", 1000000},       {"1 ms", 1000000},  {"1500 us", 1000000},
                 {"20 ms", 20000000}, {"20999999 ns", 20000000}, {"1 s", 1000000000}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct recorded_settings s = of_event("");
        settings_take_jdk(&s, STR("jdk.ExecutionSample"), STR("period"), str_of(cases[i].period));
        settings_take_jdk(&s, STR("jdk.NativeMethodSample"), STR("period"), str_of(cases[i].period));
        CHECK_INT(s.jdk_ns, cases[i].want);
        CHECK_INT(s.native_method_ns, cases[i].want);
        recorded_settings_done(&s);
    }
}

static void milliseconds_that_cannot_be_an_interval_change_nothing(void)
{
    int64_t ns = 7;
    settings_take_ms(&ns, 0);
    settings_take_ms(&ns, UINT64_MAX);
    settings_take_ms(&ns, INT64_MAX / 1000000 + 1);
    CHECK_INT(ns, 7);
    settings_take_ms(&ns, 20);
    CHECK_INT(ns, 20000000);
}

static void a_copy_is_its_own(void)
{
    struct recorded_settings a = of_event("cpu"), b = of_event("wall");
    settings_copy(&b, &a);
    take(&a, "event", "itimer");
    CHECK_STR(b.event, "cpu");
    CHECK_INT(b.cpu_ns, 7);
    recorded_settings_done(&a);
    recorded_settings_done(&b);
}

static void what_the_last_sample_stood_for_makes_no_difference(void)
{
    struct recorded_settings a = {.event = xstrdup("cpu"), .cpu_ns = 10, .repeat = 1, .sample_ns = 7}, b = {0};
    settings_copy(&b, &a);
    b.sample_ns = 8;
    CHECK(settings_same(&a, &b));
    b.cpu_ns++;
    CHECK(!settings_same(&a, &b));
    settings_copy(&b, &a);
    settings_take(&b, SETTING_EVENT, STR("wall"), 9);
    CHECK(!settings_same(&a, &b));
    recorded_settings_done(&a);
    recorded_settings_done(&b);
}

int main(void)
{
    RUN(a_recordings_own_words_are_taken);
    RUN(an_interval_of_zero_is_the_profilers_default);
    RUN(wall_clock_samples_alone_are_the_event);
    RUN(another_recording_starts_from_what_was_told);
    RUN(what_cannot_be_an_event_is_other);
    RUN(what_is_sampled_decides_what_samples_mean);
    RUN(the_jdks_recorder_has_periods_by_type);
    RUN(the_jdks_sampler_works_in_milliseconds);
    RUN(milliseconds_that_cannot_be_an_interval_change_nothing);
    RUN(a_copy_is_its_own);
    RUN(what_the_last_sample_stood_for_makes_no_difference);
    return REPORT();
}
