/* What the profiler refused, taken out of its options. */
#include "jvm/attach/degrade.h"

#include <errno.h>

#include "base/cleanup.h"
#include "test.h"

#define USUAL "chunktime=60,event=itimer,interval=10000000,alloc=512k,lock=10ms,loglevel=info"

static char applied[DEGRADE_MAX];

static const char *apply(const char *options, const char *changes)
{
    cleanup_buf struct buf out = BUF_INIT(sizeof applied - 1);
    degrade_apply(str_of(options), changes, &out);
    snprintf(applied, sizeof applied, "%s", buf_cstr(&out));
    return applied;
}

static void nothing_changes_without_changes(void)
{
    CHECK_STR(apply(USUAL, ""), USUAL);
    CHECK_STR(apply("alloc,live,features=stats+agct", ""), "alloc,live,features=stats+agct");
}

static void an_event_goes_with_what_belongs_to_it(void)
{
    CHECK_STR(apply("event=cpu,interval=5,alluser,alloc=1m,tlab,live,lock=1", "alloc"),
              "event=cpu,interval=5,alluser,lock=1");
    CHECK_STR(apply("event=cpu,interval=5,alluser,alloc=1m", "event"), "alloc=1m");
    CHECK_STR(apply("event=cpu,interval=5", "event=ctimer"), "event=ctimer,interval=5");
    CHECK_STR(apply("event=cpu,memlimit=64m", ",memlimit=16m"), "event=cpu,memlimit=16m");
}

static void a_refused_event_costs_only_itself(void)
{
    struct degraded d = {0};
    CHECK(degrade_refused(STR(USUAL), "No AllocTracer symbols found. Are JDK debug symbols installed?", &d));
    CHECK_STR(d.changes, "alloc");
    CHECK_STR(d.why, "without alloc: No AllocTracer symbols found");
    CHECK_STR(apply(USUAL, d.changes), "chunktime=60,event=itimer,interval=10000000,lock=10ms,loglevel=info");
    CHECK(degrade_refused(STR(USUAL), "Unsafe_park address not found", &d));
    CHECK_STR(d.changes, "alloc,lock");
    CHECK_HAS(d.why, "; without lock: Unsafe_park address not found");
    /* What is left is the last one. */
    const struct degraded before = d;
    CHECK(!degrade_refused(STR(USUAL), "ITIMER_PROF is not supported on this system", &d));
    CHECK_STR(d.changes, before.changes);
    CHECK_STR(d.why, before.why);
}

static void the_cpu_event_has_stand_ins(void)
{
    static const char options[] = "event=cpu,interval=10000000,alluser,alloc=512k";
    struct degraded d = {0};
    CHECK(degrade_refused(STR(options), "Perf events unavailable. Try --fdtransfer or --all-user option", &d));
    CHECK_STR(d.changes, "event=ctimer");
    CHECK_STR(d.why, "without cpu, with ctimer: Perf events unavailable");
    CHECK(degrade_refused(STR(options), "Failed to create CPU timer", &d));
    CHECK_STR(d.changes, "event=itimer");
    CHECK(degrade_refused(STR(options), "ITIMER_PROF is not supported on this system", &d));
    CHECK_STR(d.changes, "event");
    CHECK_STR(apply(options, d.changes), "alloc=512k");
    /* A counter of the processor has none. */
    d = (struct degraded){0};
    CHECK(degrade_refused(STR("event=cache-misses,lock=10ms"), "Perf events unavailable", &d));
    CHECK_STR(d.changes, "event");
    CHECK_HAS(d.why, "without cache-misses: ");
    d = (struct degraded){0};
    CHECK(!degrade_refused(STR("event=cache-misses,interval=1000"), "Perf events unavailable", &d));
}

static void wall_is_an_option_or_the_event(void)
{
    struct degraded d = {0};
    CHECK(degrade_refused(STR("event=cpu,wall=100ms"), "Unable to create timer thread", &d));
    CHECK_STR(d.changes, "wall");
    d = (struct degraded){0};
    CHECK(degrade_refused(STR("event=wall,lock"), "Unable to create timer thread", &d));
    CHECK_STR(d.changes, "event");
}

static void modifiers_can_go_alone(void)
{
    struct degraded d = {0};
    CHECK(degrade_refused(STR("event=cpu,alloc,live"), "'live' option is supported on OpenJDK 11+", &d));
    CHECK_STR(apply("event=cpu,alloc,live", d.changes), "event=cpu,alloc");
    d = (struct degraded){0};
    CHECK(degrade_refused(STR("event=itimer,record-cpu"), "record-cpu is only supported with perf_events", &d));
    CHECK_STR(apply("event=itimer,record-cpu", d.changes), "event=itimer");
}

static void what_is_about_the_start_itself_is_refused_as_a_whole(void)
{
    static const char *const said[] = {"Profiler already started", "Could not open Flight Recorder output file",
                                       "Could not find VMThread bridge. Unsupported JVM?", "interval must be positive",
                                       ""};
    struct degraded d = {0};
    for (size_t i = 0; i < sizeof said / sizeof said[0]; i++)
        CHECK(!degrade_refused(STR(USUAL), said[i], &d));
    CHECK_STR(d.changes, "");
    /* Not about what was asked for. */
    CHECK(!degrade_refused(STR("event=itimer,lock=10ms"), "No AllocTracer symbols found", &d));
    /* Foreign text does not grow beyond its place. */
    char longest[2000];
    memset(longest, 'x', sizeof longest - 1);
    memcpy(longest, "LockTracer registration failed", strlen("LockTracer registration failed"));
    longest[sizeof longest - 1] = '\0';
    CHECK(degrade_refused(STR(USUAL), longest, &d));
    CHECK(strlen(d.why) < sizeof d.why);
}

static void some_builds_go_without(void)
{
    struct jvm_build b = {0};
    struct degraded d = {0};
    struct err err = {0};
    CHECK(jvm_build_parse(STR("17.0.9+9"), &b));
    CHECK_INT(degrade_build(STR("event=itimer,alloc=512k,live"), &b, &d, &err), 0);
    CHECK_STR(d.changes, "live");
    CHECK_HAS(d.why, "without live: ");
    /* Once. */
    CHECK_INT(degrade_build(STR("event=itimer,alloc=512k,live"), &b, &d, &err), 0);
    CHECK_STR(d.changes, "live");
    CHECK(jvm_build_parse(STR("17.0.15+6"), &b));
    d = (struct degraded){0};
    CHECK_INT(degrade_build(STR("event=itimer,alloc=512k,live"), &b, &d, &err), 0);
    CHECK_STR(d.changes, "");
}

int main(void)
{
    RUN(nothing_changes_without_changes);
    RUN(an_event_goes_with_what_belongs_to_it);
    RUN(a_refused_event_costs_only_itself);
    RUN(the_cpu_event_has_stand_ins);
    RUN(wall_is_an_option_or_the_event);
    RUN(modifiers_can_go_alone);
    RUN(what_is_about_the_start_itself_is_refused_as_a_whole);
    RUN(some_builds_go_without);
    return REPORT();
}
