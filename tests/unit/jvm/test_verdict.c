/* The rule: which ends of JVMs are crashes, and which of them implicate the profiler. */
#include "jvm/session/verdict.h"

#include <signal.h>

#include "base/cleanup.h"
#include "base/metric.h"
#include "test.h"

static const int64_t SECOND = 1000000000;

static struct verdict judge(struct jvm_death d, enum crash_guard guard)
{
    struct verdict v;
    verdict_of(&d, guard, &v);
    return v;
}

static void check(struct jvm_death d, enum verdict_kind kind, bool stop, const char *text)
{
    const struct verdict v = judge(d, CRASH_GUARD_ON);
    CHECK_INT(v.kind, kind);
    CHECK_INT(v.stop, stop);
    CHECK_STR(v.text, text);
    CHECK_INT(judge(d, CRASH_GUARD_OFF).stop, false);
    CHECK_INT(judge(d, CRASH_GUARD_OFF).kind, kind);
}

#define LATE .after_ns = -1

static struct jvm_crash report(const char *signal, const char *frame, bool profiler)
{
    struct jvm_crash c = {.reported = true, .report = {.profiler = profiler}};
    snprintf(c.report.signal, sizeof c.report.signal, "%s", signal);
    snprintf(c.report.frame, sizeof c.report.frame, "%s", frame);
    return c;
}

static void soon_after_an_attach_any_crash_is_the_profilers(void)
{
    check((struct jvm_death){.end = JVM_END_FAULT, .signal = SIGSEGV, .after_ns = 3 * SECOND / 10}, VERDICT_PROFILER,
          true, "killed by SIGSEGV 0.3 s after the attach");
    check((struct jvm_death){.end = JVM_END_FAULT, .signal = SIGABRT, .found = report("SIGSEGV", "libfoo.so", false)},
          VERDICT_PROFILER, true, "killed by SIGSEGV in libfoo.so at the attach");
    check((struct jvm_death){.end = JVM_END_OOM, .signal = SIGKILL, .limited = true}, VERDICT_PROFILER, true,
          "OOM-killed at the attach");
    check((struct jvm_death){.end = JVM_END_KILLED, .signal = SIGKILL}, VERDICT_SUSPECT, false,
          "killed by SIGKILL at the attach");
    check((struct jvm_death){.end = JVM_END_UNKNOWN}, VERDICT_SUSPECT, false, "ended at the attach");
    check((struct jvm_death){.end = JVM_END_SELF}, VERDICT_NONE, false, "");
}

static void later_a_crash_is_its_own_unless_something_names_the_profiler(void)
{
    check((struct jvm_death){.end = JVM_END_FAULT, .signal = SIGSEGV, LATE}, VERDICT_UNRELATED, false,
          "killed by SIGSEGV");
    check(
        (struct jvm_death){
            .end = JVM_END_FAULT, .signal = SIGABRT, LATE, .found = report("SIGSEGV", "libfoo.so", false)},
        VERDICT_UNRELATED, false, "killed by SIGSEGV in libfoo.so");
    check(
        (struct jvm_death){
            .end = JVM_END_FAULT, .signal = SIGABRT, LATE, .found = report("SIGSEGV", "libasyncProfiler.so", true)},
        VERDICT_PROFILER, true, "killed by SIGSEGV in libasyncProfiler.so");
    check((struct jvm_death){.end = JVM_END_UNKNOWN, LATE, .found.kernel = {.fault = true, .profiler = true}},
          VERDICT_PROFILER, true, "ended in libasyncProfiler.so");
    check((struct jvm_death){.end = JVM_END_KILLED, .signal = SIGKILL, LATE}, VERDICT_NONE, false, "");
    check((struct jvm_death){.end = JVM_END_UNKNOWN, LATE}, VERDICT_NONE, false, "");
}

/* HotSpot without core dumps exits with 1, and on older kernels nobody tells the status. */
static void a_report_makes_it_a_crash(void)
{
    check((struct jvm_death){.end = JVM_END_SELF, LATE, .found = report("SIGBUS", "libzip.so", false)},
          VERDICT_UNRELATED, false, "killed by SIGBUS in libzip.so");
    check((struct jvm_death){.end = JVM_END_UNKNOWN, LATE, .found = report("", "", false)}, VERDICT_UNRELATED, false,
          "aborted by HotSpot");
}

static void an_oom_kill_implicates_the_profiler_where_little_was_left(void)
{
    struct jvm_death d = {.end = JVM_END_OOM, .signal = SIGKILL, LATE, .limited = true};
    check(d, VERDICT_UNRELATED, false, "OOM-killed");
    d.tight = true;
    check(d, VERDICT_PROFILER, true, "OOM-killed with little memory left");
    d.end = JVM_END_KILLED; /* its group was gone by then, and the kernel logged it */
    d.found.kernel = (struct kernel_death){.oom = true, .of_group = true};
    check(d, VERDICT_PROFILER, true, "OOM-killed with little memory left");
    d = (struct jvm_death){.end = JVM_END_FAULT, .signal = SIGABRT, LATE, .limited = true, .tight = true};
    d.found = report("", "", false);
    d.found.report.no_memory = true;
    check(d, VERDICT_PROFILER, true, "ended for want of native memory with little memory left");
}

/* Whoever fills the host's memory decides whom the OOM killer meets: that must not switch off profiling of others. */
static void want_of_memory_of_the_host_implicates_nobody(void)
{
    struct jvm_death d = {.end = JVM_END_OOM_HOST, .signal = SIGKILL, .limited = true, .tight = true};
    check(d, VERDICT_UNRELATED, false, "OOM-killed for want of memory of the host at the attach");
    CHECK(!judge(d, CRASH_GUARD_STRICT).stop);
    d.end = JVM_END_KILLED;
    d.found.kernel.oom = true;
    check(d, VERDICT_UNRELATED, false, "OOM-killed for want of memory of the host at the attach");
    d.end = JVM_END_OOM;
    check(d, VERDICT_UNRELATED, false, "OOM-killed for want of memory of the host at the attach");
    d.found.kernel.of_group = true; /* of a group further up */
    d.end = JVM_END_KILLED;
    d.limited = false;
    check(d, VERDICT_UNRELATED, false, "OOM-killed for want of memory of the host at the attach");
}

static void an_oom_kill_of_another_process_of_the_group_is_not_the_jvms(void)
{
    struct jvm_death d = {.end = JVM_END_OOM, .signal = SIGKILL, LATE, .limited = true, .tight = true};
    d.found.kernel.whole = true;
    check(d, VERDICT_NONE, false, "");
    d.found.kernel.oom = d.found.kernel.of_group = true;
    check(d, VERDICT_PROFILER, true, "OOM-killed with little memory left");
}

static void strict_stops_after_any_crash(void)
{
    struct jvm_death d = {.end = JVM_END_FAULT, .signal = SIGSEGV, LATE};
    CHECK(judge(d, CRASH_GUARD_STRICT).stop);
    CHECK_INT(judge(d, CRASH_GUARD_STRICT).kind, VERDICT_UNRELATED);
    d.end = JVM_END_OOM;
    CHECK(judge(d, CRASH_GUARD_STRICT).stop);
    d.end = JVM_END_SELF;
    CHECK(!judge(d, CRASH_GUARD_STRICT).stop);
}

static void long_texts_are_cut(void)
{
    char frame[HS_ERR_FRAME_MAX];
    memset(frame, 'x', sizeof frame);
    frame[sizeof frame - 1] = '\0';
    struct jvm_death d = {.end = JVM_END_FAULT, .after_ns = 5 * SECOND, .found = report("SIGSEGVSIGSEGV", frame, true)};
    const struct verdict v = judge(d, CRASH_GUARD_ON);
    CHECK_HAS(v.text, "x 5.0 s after the attach");
}

static void crashes_are_counted(void)
{
    cleanup_buf struct buf out = BUF_INIT(64 << 10);
    const struct verdict crash = judge((struct jvm_death){.end = JVM_END_FAULT, .signal = SIGSEGV}, CRASH_GUARD_OFF),
                         exit = judge((struct jvm_death){.end = JVM_END_SELF}, CRASH_GUARD_OFF);
    verdict_count(&crash);
    verdict_count(&exit);
    metric_render(&out);
    CHECK_HAS(buf_cstr(&out), "smolder_jvm_crashes_total{cause=\"fault\",verdict=\"profiler\"} 1");
    CHECK(!strstr(buf_cstr(&out), "cause=\"exit\""));
}

static void guards_have_names(void)
{
    enum crash_guard g = CRASH_GUARD_ON;
    CHECK(crash_guard_parse("strict", &g) && g == CRASH_GUARD_STRICT);
    CHECK(crash_guard_parse("off", &g) && g == CRASH_GUARD_OFF);
    CHECK(crash_guard_parse("on", &g) && g == CRASH_GUARD_ON);
    CHECK(!crash_guard_parse("", &g) && !crash_guard_parse("config", &g));
}

int main(void)
{
    RUN(soon_after_an_attach_any_crash_is_the_profilers);
    RUN(later_a_crash_is_its_own_unless_something_names_the_profiler);
    RUN(a_report_makes_it_a_crash);
    RUN(an_oom_kill_implicates_the_profiler_where_little_was_left);
    RUN(want_of_memory_of_the_host_implicates_nobody);
    RUN(an_oom_kill_of_another_process_of_the_group_is_not_the_jvms);
    RUN(strict_stops_after_any_crash);
    RUN(long_texts_are_cut);
    RUN(crashes_are_counted);
    RUN(guards_have_names);
    return REPORT();
}
