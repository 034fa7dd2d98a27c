/* What a session does with a JVM that does not fit, lacks something, or dies of an attach (fake_profiler.h). */
#include "fake_profiler.h"
#include "jvm/session/coverage.h"

static void waits_until_the_jvm_is_old_enough(void)
{
    set_up(60 * SECOND);
    t.config.min_age_ns = SECOND + SECOND / 2;
    open_session();
    WAIT_UNTIL(strstr(t.reason, "waiting until it is 1.5 s old (min_age)"), 1000);
    CHECK_INT(t.state, JVM_STATE_WAITING);
    CHECK_INT(profiler.calls[OP_START], 0);
    CHECK(jvm_session_next_ns(t.session) > 0 && jvm_session_next_ns(t.session) <= 2 * SECOND);
    WAIT_UNTIL(t.state == JVM_STATE_PROFILING, 3000);
    CHECK_STR(t.reason, "");
    tear_down();
}

static void looks_again_for_memory_and_less_and_less_often(void)
{
    set_up(60 * SECOND);
    profiler.answers[OP_START] = JVM_NO_ROOM;
    open_session();
    WAIT_UNTIL(strstr(t.reason, "no room"), 2000);
    CHECK_INT(t.state, JVM_STATE_BACKING_OFF);
    CHECK(jvm_session_next_ns(t.session) > 9 * SECOND && jvm_session_next_ns(t.session) <= 10 * SECOND);
    /* At once, when the configuration asks for less. */
    profiler.answers[OP_START] = JVM_OK;
    t.config.headroom = 1;
    jvm_session_update(t.session, &t.config);
    WAIT_UNTIL(t.state == JVM_STATE_PROFILING, 2000);
    tear_down();
}

static void a_roll_over_without_memory_is_put_off_and_profiling_goes_on(void)
{
    set_up(60 * SECOND);
    t.config.roll_ns = SECOND / 2;
    profiler.answers[OP_ROLL] = JVM_NO_ROOM;
    open_session();
    WAIT_UNTIL(t.state == JVM_STATE_PROFILING, 2000);
    WAIT_UNTIL(profiler.calls[OP_START] == 1, 100);
    int64_t at = profiler.chunk_began;
    rotate('a', at + SECOND);
    WAIT_UNTIL(profiler.calls[OP_ROLL] == 1, 7000);
    WAIT_UNTIL(strstr(t.reason, "no room"), 1000);
    CHECK_INT(t.state, JVM_STATE_DEGRADED);
    const uint64_t until = uv_hrtime() + 300000000;
    WAIT_UNTIL(uv_hrtime() > until, 1000);
    CHECK_INT(profiler.calls[OP_ROLL], 1);
    CHECK_INT(profiler.calls[OP_START], 1);
    tear_down();
}

static void what_is_missing_is_said_and_not_asked_for_again(void)
{
    set_up(60 * SECOND);
    t.config.roll_ns = SECOND / 2;
    profiler.degraded = (struct degraded){"alloc", "without alloc: no symbols"};
    open_session();
    WAIT_UNTIL(t.state == JVM_STATE_DEGRADED, 2000);
    CHECK_STR(t.reason, "without alloc: no symbols");
    CHECK_STR(profiler.asked.changes, "");
    rotate('a', profiler.chunk_began + SECOND);
    WAIT_UNTIL(profiler.calls[OP_ROLL] == 1, 7000);
    CHECK_STR(profiler.asked.changes, "alloc");
    CHECK_STR(t.reason, "without alloc: no symbols");
    /* Other events may be welcome. */
    profiler.degraded = (struct degraded){"", ""};
    t.config.events = "event=ctimer";
    jvm_session_update(t.session, &t.config);
    WAIT_UNTIL(profiler.calls[OP_ROLL] == 2 && !t.reason[0], 7000);
    CHECK_STR(profiler.asked.changes, "");
    tear_down();
}

static void problem(void *arg, const char *text)
{
    (void)arg;
    FAIL_("%s", text);
}

static struct quarantine *use_quarantine(void)
{
    snprintf(profiler.makeup.key, sizeof profiler.makeup.key, "%032x", 7);
    snprintf(profiler.makeup.main, sizeof profiler.makeup.main, "Main");
    return t.config.quarantine = quarantine_new(&t.loop, "", problem, NULL);
}

static void a_jvm_that_a_start_killed_condemns_its_make_up(void)
{
    set_up(60 * SECOND);
    struct quarantine *q = use_quarantine();
    profiler.answers[OP_START] = JVM_GONE;
    profiler.stuck = true;
    open_session();
    WAIT_UNTIL(profiler.calls[OP_START] == 1, 2000);
    kill(t.child, SIGABRT); /* while the start is under way, whose answer comes later */
    const uint64_t until = uv_hrtime() + 50000000;
    WAIT_UNTIL(uv_hrtime() > until, 1000);
    CHECK_INT(t.closed, 0);
    uv_timer_start(&profiler.reply, on_reply, 1, 0);
    WAIT_UNTIL(t.closed, 2000);
    CHECK_STR(t.condemned, "Main killed by SIGABRT at the attach");
    CHECK_STR(t.reason, "the process ended: killed by SIGABRT at the attach");
    CHECK_STR(quarantine_keys(q), profiler.makeup.key);
    tear_down();
    quarantine_free(q);
}

static void one_that_was_not_attached_to_condemns_nobody(void)
{
    set_up(60 * SECOND);
    struct quarantine *q = use_quarantine();
    profiler.answers[OP_START] = JVM_GONE;
    profiler.untouched = profiler.stuck = true;
    open_session();
    WAIT_UNTIL(profiler.calls[OP_START] == 1, 2000);
    kill(t.child, SIGABRT);
    uv_timer_start(&profiler.reply, on_reply, 20, 0);
    WAIT_UNTIL(t.closed, 2000);
    CHECK_STR(t.condemned, "");
    CHECK_STR(t.reason, "the process ended");
    tear_down();
    quarantine_free(q);
}

static void one_that_dies_of_itself_condemns_nobody(void)
{
    set_up(60 * SECOND);
    struct quarantine *q = use_quarantine();
    open_session();
    WAIT_UNTIL(t.state == JVM_STATE_PROFILING, 2000);
    kill(t.child, SIGTERM);
    WAIT_UNTIL(t.closed, 2000);
    CHECK_STR(t.condemned, "");
    CHECK_STR(t.reason, "the process ended");
    CHECK_STR(quarantine_keys(q), "");
    tear_down();
    quarantine_free(q);
}

static bool forgive(void *arg, struct quarantine_list *l)
{
    (void)arg;
    l->len = 0;
    return true;
}

static void a_condemned_make_up_waits_until_it_is_forgiven(void)
{
    char dir[] = "/tmp/smolder-session-XXXXXX", command[64];
    struct err err;
    CHECK(mkdtemp(dir) != NULL);
    set_up(60 * SECOND);
    struct quarantine *q = use_quarantine();
    quarantine_free(q);
    q = t.config.quarantine = quarantine_new(&t.loop, dir, problem, NULL);
    CHECK(quarantine_died(q, &profiler.makeup, JVM_END_FAULT, "killed by SIGSEGV 2.0 s after the attach"));
    profiler.answers[OP_START] = JVM_CONDEMNED;
    open_session();
    WAIT_UNTIL(strstr(t.reason, "(Main) was killed by SIGSEGV 2.0 s after the attach"), 2000);
    CHECK_HAS(t.reason, "smolder forgive");
    CHECK_INT(t.state, JVM_STATE_REFUSED);
    CHECK_INT(profiler.calls[OP_START], 1);
    profiler.answers[OP_START] = JVM_OK;
    CHECK_INT(quarantine_edit(dir, forgive, NULL, &err), 0);
    WAIT_UNTIL(t.state == JVM_STATE_PROFILING, 30000);
    CHECK_INT(profiler.calls[OP_START], 2);
    tear_down();
    quarantine_free(q);
    snprintf(command, sizeof command, "rm -rf %s", dir);
    (void)!system(command);
}

static void retry_crashed_does_not_wait(void)
{
    set_up(60 * SECOND);
    struct quarantine *q = use_quarantine();
    CHECK(quarantine_died(q, &profiler.makeup, JVM_END_FAULT, "killed"));
    profiler.answers[OP_START] = JVM_CONDEMNED;
    open_session();
    WAIT_UNTIL(strstr(t.reason, "smolder forgive"), 2000);
    profiler.answers[OP_START] = JVM_OK;
    t.config.retry_crashed = true;
    jvm_session_update(t.session, &t.config);
    WAIT_UNTIL(t.state == JVM_STATE_PROFILING, 2000);
    tear_down();
    quarantine_free(q);
}

static void let_the_target_compute(void)
{
    kill(t.child, SIGKILL);
    waitpid(t.child, NULL, 0);
    t.child = fork();
    while (t.child == 0)
        ;
}

/* Interval by interval, as the component does. */
static void tell_samples(unsigned intervals, int64_t sampled_ns)
{
    for (unsigned i = 0; i < intervals; i++) {
        const int lasts = (int)t.lasts;
        WAIT_UNTIL((int)t.lasts > lasts, 4000);
        jvm_session_sampled(t.session, sampled_ns, SECOND / 1000); /* little is enough on a busy machine */
    }
}

static void a_busy_jvm_without_samples_is_given_another_signal_once(void)
{
    set_up(SECOND);
    let_the_target_compute();
    open_session();
    WAIT_UNTIL(t.state == JVM_STATE_PROFILING, 2000);
    tell_samples(2, 0);
    CHECK_INT(t.state, JVM_STATE_PROFILING);
    tell_samples(1, 0);
    CHECK_INT(t.state, JVM_STATE_DEGRADED);
    CHECK_HAS(t.reason, "without itimer, with ctimer: no CPU samples although");
    profiler.degraded = (struct degraded){"event=ctimer", "without itimer, with ctimer: no CPU samples although"};
    WAIT_UNTIL(profiler.calls[OP_ROLL] == 1, 2000);
    CHECK_HAS(profiler.options, ",signal=16");
    CHECK_STR(profiler.asked.changes, "event=ctimer");
    for (int i = 0; i < 8 && !strstr(t.reason, "delivered"); i++) /* the first ones are of intervals before */
        tell_samples(1, 0);
    CHECK_HAS(t.reason, "ctimer delivered 0.0 s");
    CHECK_INT(profiler.calls[OP_ROLL], 1);
    tear_down();
}

static void too_many_samples_are_a_reason_until_they_are_right(void)
{
    set_up(SECOND);
    let_the_target_compute();
    open_session();
    WAIT_UNTIL(t.state == JVM_STATE_PROFILING, 2000);
    tell_samples(COVERAGE_INTERVALS, 40 * SECOND);
    CHECK_INT(t.state, JVM_STATE_DEGRADED);
    CHECK_HAS(t.reason, "times more CPU time in samples");
    tell_samples(COVERAGE_INTERVALS, -1);
    CHECK_INT(t.state, JVM_STATE_DEGRADED);
    t.config.events = "event=wall";
    jvm_session_update(t.session, &t.config);
    WAIT_UNTIL(t.state == JVM_STATE_PROFILING, 3000);
    tear_down();
}

/* As if it had outlived its attach: the window is not waited for. */
static void crash(int sig, const char *frame, bool in_profiler)
{
    coroner.found.reported = frame[0] != '\0';
    snprintf(coroner.found.report.frame, sizeof coroner.found.report.frame, "%s", frame);
    coroner.found.report.profiler = in_profiler;
    kill(t.child, sig);
    WAIT_UNTIL(t.closed, 3000);
    CHECK_INT(coroner.calls, 1);
}

static void outlive_the_attach(void)
{
    WAIT_UNTIL(t.state == JVM_STATE_PROFILING, 2000);
    const uint64_t until = uv_hrtime() + 10200000000;
    WAIT_UNTIL(uv_hrtime() > until, 15000);
}

static void a_later_crash_is_reported_and_condemns_nobody(void)
{
    set_up(60 * SECOND);
    struct quarantine *q = use_quarantine();
    open_session();
    outlive_the_attach();
    crash(SIGSEGV, "libfoo.so", false);
    CHECK_STR(t.crashed, "Main killed by SIGSEGV in libfoo.so");
    CHECK_STR(t.condemned, "");
    CHECK_STR(t.reason, "the process ended: killed by SIGSEGV in libfoo.so");
    CHECK_STR(quarantine_keys(q), "");
    tear_down();
    quarantine_free(q);
}

static void one_in_the_profiler_condemns_its_make_up_at_any_time(void)
{
    set_up(60 * SECOND);
    struct quarantine *q = use_quarantine();
    open_session();
    outlive_the_attach();
    crash(SIGSEGV, "libasyncProfiler.so", true);
    CHECK_STR(t.crashed, "");
    CHECK_STR(t.condemned, "Main killed by SIGSEGV in libasyncProfiler.so");
    CHECK_STR(quarantine_keys(q), profiler.makeup.key);
    tear_down();
    quarantine_free(q);
}

static void without_a_guard_nothing_is_condemned(void)
{
    set_up(60 * SECOND);
    struct quarantine *q = use_quarantine();
    CHECK(quarantine_died(q, &profiler.makeup, JVM_END_FAULT, "killed by SIGSEGV 2.0 s after the attach"));
    t.config.crash_guard = CRASH_GUARD_OFF;
    open_session();
    WAIT_UNTIL(t.state == JVM_STATE_PROFILING, 2000);
    crash(SIGSEGV, "", false);
    CHECK_HAS(t.crashed, "Main killed by SIGSEGV");
    CHECK_STR(t.condemned, "");
    tear_down();
    quarantine_free(q);
}

static void who_is_not_told_why_does_not_wait_for_ever(void)
{
    set_up(60 * SECOND);
    struct quarantine *q = use_quarantine();
    coroner.stuck = true;
    open_session();
    WAIT_UNTIL(t.state == JVM_STATE_PROFILING, 2000);
    kill(t.child, SIGSEGV);
    WAIT_UNTIL(coroner.calls == 1, 2000);
    CHECK_INT(t.closed, 0);
    jvm_session_close(t.session, 50);
    WAIT_UNTIL(t.closed, 2000);
    CHECK_HAS(t.condemned, "killed by SIGSEGV");
    tear_down();
    quarantine_free(q);
}

static void others_of_a_condemned_make_up_are_stopped(void)
{
    set_up(5 * SECOND);
    struct quarantine *q = use_quarantine();
    open_session();
    WAIT_UNTIL(t.state == JVM_STATE_PROFILING, 2000);
    CHECK(quarantine_died(q, &profiler.makeup, JVM_END_FAULT, "killed by SIGSEGV in libasyncProfiler.so"));
    WAIT_UNTIL(t.state == JVM_STATE_REFUSED, 8000);
    CHECK_HAS(t.reason, "killed by SIGSEGV in libasyncProfiler.so");
    WAIT_UNTIL(profiler.calls[OP_STOP] == 1, 2000);
    CHECK_INT(profiler.calls[OP_START], 1);
    tear_down();
    quarantine_free(q);
}

/* An operator may have killed it. */
static void others_of_a_suspected_make_up_go_on(void)
{
    set_up(5 * SECOND);
    struct quarantine *q = use_quarantine();
    open_session();
    WAIT_UNTIL(t.state == JVM_STATE_PROFILING, 2000);
    CHECK(quarantine_died(q, &profiler.makeup, JVM_END_KILLED, "killed by SIGKILL 1 s after the attach"));
    const uint64_t until = uv_hrtime() + 6 * SECOND;
    WAIT_UNTIL(uv_hrtime() > until, 8000);
    CHECK_INT(t.state, JVM_STATE_PROFILING);
    CHECK_INT(profiler.calls[OP_STOP], 0);
    CHECK(quarantine_died(q, &profiler.makeup, JVM_END_FAULT, "killed by SIGSEGV 1 s after the attach"));
    WAIT_UNTIL(t.state == JVM_STATE_REFUSED, 8000);
    tear_down();
    quarantine_free(q);
}

static void one_of_two_profilers_gives_way(void)
{
    set_up(SECOND);
    profiler.stranger = "/opt/other/libasyncProfiler.so";
    open_session();
    WAIT_UNTIL(profiler.calls[OP_LOOK] == 2, 5000); /* it is loaded only */
    CHECK_INT(t.state, JVM_STATE_PROFILING);
    profiler.stranger_running = true;
    profiler.answers[OP_START] = JVM_FOREIGN;
    WAIT_UNTIL(t.state == JVM_STATE_WAITING, 5000);
    CHECK_HAS(t.reason, "another async-profiler session is running in the JVM (/opt/other/libasyncProfiler.so)");
    WAIT_UNTIL(profiler.calls[OP_STOP] == 1, 1000);
    WAIT_UNTIL(profiler.fd == -1, 1000);
    /* Its owner ends it: then it is our turn. */
    WAIT_UNTIL(profiler.calls[OP_START] == 2, 7000);
    profiler.stranger_running = false;
    profiler.answers[OP_START] = JVM_OK;
    WAIT_UNTIL(t.state == JVM_STATE_PROFILING, 7000);
    tear_down();
}

static void one_that_cannot_be_asked_is_known_by_what_it_does(void)
{
    set_up(SECOND);
    profiler.stranger = "/tmp/libjavaProfiler.so";
    let_the_target_compute();
    open_session();
    WAIT_UNTIL(t.state == JVM_STATE_PROFILING, 2000);
    tell_samples(COVERAGE_INTERVALS, 40 * SECOND);
    CHECK_INT(t.state, JVM_STATE_WAITING);
    CHECK_HAS(t.reason, "another profiler is loaded in this JVM (/tmp/libjavaProfiler.so)");
    CHECK_HAS(t.reason, "times more CPU time in samples");
    CHECK(jvm_session_next_ns(t.session) > (JVM_SECOND_RETRY_S - 10) * SECOND);
    WAIT_UNTIL(profiler.calls[OP_STOP] == 1, 1000);
    tear_down();
}

static void nobody_is_looked_for_while_the_address_space_stays(void)
{
    set_up(SECOND);
    open_session();
    WAIT_UNTIL(t.lasts == 3, 5000);
    CHECK_INT(profiler.calls[OP_LOOK], 0);
    tear_down();
}

int main(void)
{
    RUN(waits_until_the_jvm_is_old_enough);
    RUN(looks_again_for_memory_and_less_and_less_often);
    RUN(a_roll_over_without_memory_is_put_off_and_profiling_goes_on);
    RUN(what_is_missing_is_said_and_not_asked_for_again);
    RUN(a_jvm_that_a_start_killed_condemns_its_make_up);
    RUN(one_that_was_not_attached_to_condemns_nobody);
    RUN(one_that_dies_of_itself_condemns_nobody);
    RUN(a_condemned_make_up_waits_until_it_is_forgiven);
    RUN(retry_crashed_does_not_wait);
    RUN(a_busy_jvm_without_samples_is_given_another_signal_once);
    RUN(too_many_samples_are_a_reason_until_they_are_right);
    RUN(a_later_crash_is_reported_and_condemns_nobody);
    RUN(one_in_the_profiler_condemns_its_make_up_at_any_time);
    RUN(without_a_guard_nothing_is_condemned);
    RUN(who_is_not_told_why_does_not_wait_for_ever);
    RUN(others_of_a_condemned_make_up_are_stopped);
    RUN(others_of_a_suspected_make_up_go_on);
    RUN(one_of_two_profilers_gives_way);
    RUN(one_that_cannot_be_asked_is_known_by_what_it_does);
    RUN(nobody_is_looked_for_while_the_address_space_stays);
    return REPORT();
}
