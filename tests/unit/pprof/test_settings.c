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
        {"cpu", 10000000}, {"wall", 50000000}, {"cycles", 1000000}, {"cache-misses", 1000}, {"page-faults", 1},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct recorded_settings s = of_event(cases[i].event);
        take(&s, "interval", "0");
        CHECK_INT(s.cpu_ns, cases[i].want);
        recorded_settings_done(&s);
    }
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

int main(void)
{
    RUN(a_recordings_own_words_are_taken);
    RUN(an_interval_of_zero_is_the_profilers_default);
    RUN(what_cannot_be_an_event_is_other);
    RUN(what_is_sampled_decides_what_samples_mean);
    RUN(the_jdks_recorder_has_periods_by_type);
    RUN(a_copy_is_its_own);
    return REPORT();
}
