/* The session's decisions, against a profiler of the test's own (fake_profiler.h). The real profiler in real JVMs:
 * test_session_real.c. */
#include "fake_profiler.h"

static void cuts_short_intervals_by_dump(void)
{
    set_up(SECOND);
    open_session();
    WAIT_UNTIL(t.lasts == 3, 5000);
    CHECK_INT(t.chunks, 3);
    CHECK_INT(profiler.calls[OP_DUMP], 3);
    CHECK(!strstr(profiler.options, "chunktime"));
    CHECK_INT(t.state, JVM_STATE_PROFILING);
    tear_down();
    CHECK_INT(t.chunks, 5); /* what was collected since, and the end of its interval */
    CHECK_INT(t.marks[3], 's');
    CHECK(t.last[4]);
    CHECK_INT(profiler.calls[OP_STOP], 1);
}

static void cuts_the_first_profile_early_and_leaves_the_rest_to_the_profiler(void)
{
    set_up(60 * SECOND);
    t.config.first_ns = SECOND / 2;
    open_session();
    WAIT_UNTIL(t.lasts == 1, 3000);
    CHECK_INT(t.marks[0], 'd');
    CHECK_HAS(profiler.options, "chunktime=60,");
    CHECK_HAS(profiler.options, ",timeout=1080,");
    CHECK_HAS(profiler.options, ",memlimit=64m,event=itimer");
    WAIT_UNTIL(jvm_session_next_ns(t.session) < 60 * SECOND, 1000);
    CHECK(jvm_session_next_ns(t.session) > 55 * SECOND);
    tear_down();
    CHECK_INT(profiler.calls[OP_DUMP], 1);
}

static void a_long_interval_is_the_sum_of_its_chunks(void)
{
    set_up(150 * SECOND);
    t.config.first_ns = 1000 * SECOND;
    open_session();
    WAIT_UNTIL(t.state == JVM_STATE_PROFILING, 2000);
    CHECK_HAS(profiler.options, "chunktime=50,");
    int64_t at = profiler.chunk_began;
    for (int i = 1; i <= 4; i++)
        rotate((uint8_t)i, at + 50 * i * SECOND);
    WAIT_UNTIL(t.chunks == 4, 7000);
    CHECK(!t.last[0] && !t.last[1] && t.last[2] && !t.last[3]);
    tear_down();
}

static void a_hole_in_time_ends_the_interval(void)
{
    set_up(60 * SECOND);
    open_session();
    WAIT_UNTIL(t.state == JVM_STATE_PROFILING, 2000);
    int64_t at = profiler.chunk_began;
    rotate('a', at + SECOND);
    finish_chunk(&profiler, 'b', at + 2 * SECOND);
    begin_chunk(&profiler, at + 20 * SECOND);
    rotate('c', at + 21 * SECOND);
    WAIT_UNTIL(t.chunks == 4, 7000);
    CHECK_INT(t.marks[1], 'b');
    CHECK_INT(t.marks[2], 0);
    CHECK_INT(t.marks[3], 'c');
    CHECK(!t.last[0] && !t.last[1] && t.last[2] && !t.last[3]);
    tear_down();
}

static void retries_what_may_pass_and_says_why_it_waits(void)
{
    static const enum jvm_outcome passing[] = {JVM_TIMEOUT, JVM_REFUSED, JVM_FAILED, JVM_NOT_HOTSPOT};
    for (size_t i = 0; i < sizeof passing / sizeof passing[0]; i++) {
        set_up(60 * SECOND);
        profiler.answers[OP_START] = passing[i];
        open_session();
        WAIT_UNTIL(t.was_waiting, 2000);
        CHECK_HAS(t.reason, jvm_outcome_name(passing[i]));
        profiler.answers[OP_START] = JVM_OK;
        WAIT_UNTIL(t.state == JVM_STATE_PROFILING, 3000);
        CHECK_STR(t.reason, "");
        CHECK_INT(profiler.calls[OP_START], 2);
        CHECK_INT(t.starts_without_reason, 1); /* the second one still has the first one's: nothing to tell anew */
        tear_down();
    }
}

static void leaves_alone_what_will_not_pass(void)
{
    static const struct {
        enum jvm_outcome outcome;
        int64_t least_s;
    } waits[] = {{JVM_NO_ATTACH, 590}, {JVM_FOREIGN, 55}};
    for (size_t i = 0; i < sizeof waits / sizeof waits[0]; i++) {
        set_up(60 * SECOND);
        profiler.answers[OP_START] = waits[i].outcome;
        open_session();
        WAIT_UNTIL(t.was_waiting, 2000);
        CHECK(jvm_session_next_ns(t.session) > waits[i].least_s * SECOND);
        tear_down();
        CHECK_INT(profiler.calls[OP_STOP], 0); /* nothing of ours runs there */
    }
}

static void closes_in_time_although_the_jvm_is_stuck(void)
{
    set_up(60 * SECOND);
    open_session();
    WAIT_UNTIL(t.state == JVM_STATE_PROFILING, 2000);
    profiler.stuck = true;
    uint64_t asked = uv_hrtime();
    jvm_session_close(t.session, 300);
    CHECK_INT(t.state, JVM_STATE_GONE);
    WAIT_UNTIL(t.closed, 2000);
    CHECK((uv_hrtime() - asked) / 1000000 < 600);
    CHECK_INT(profiler.calls[OP_STOP], 1);
    tear_down();
}

static void stops_what_started_while_it_was_closing(void)
{
    set_up(60 * SECOND);
    open_session();
    WAIT_UNTIL(profiler.calls[OP_START] == 1, 2000);
    jvm_session_close(t.session, 2000);
    WAIT_UNTIL(t.closed, 1500);
    CHECK_INT(profiler.calls[OP_STOP], 1);
    CHECK(profiler.fd < 0);
    tear_down();
}

static void reads_what_an_ended_process_left(void)
{
    set_up(60 * SECOND);
    open_session();
    WAIT_UNTIL(t.state == JVM_STATE_PROFILING, 2000);
    double unfinished = metric_value(&jvm_chunks_total, "unfinished");
    rotate('a', profiler.chunk_began + SECOND);
    kill(t.child, SIGKILL);
    WAIT_UNTIL(t.closed, 3000);
    CHECK_INT(t.state, JVM_STATE_GONE);
    CHECK_INT(t.chunks, 2);
    CHECK_INT(t.marks[0], 'a');
    CHECK(t.last[1]);
    CHECK_INT(metric_value(&jvm_chunks_total, "unfinished") - unfinished, 1);
    CHECK_INT(profiler.calls[OP_STOP], 0);
    tear_down();
}

/* The loop goes on meanwhile: what is due for a JVM that runs is not due any more. */
static void a_slow_read_after_the_end_is_waited_for(void)
{
    set_up(SECOND);
    open_session();
    WAIT_UNTIL(t.state == JVM_STATE_PROFILING, 2000);
    reader.delay = 2500;
    kill(t.child, SIGKILL);
    const uint64_t until = uv_hrtime() + 2 * SECOND;
    WAIT_UNTIL(reader.done, 2000);
    WAIT_UNTIL(uv_hrtime() > until, 4000);
    CHECK(!t.closed);
    WAIT_UNTIL(t.closed, 4000);
    reader.delay = 0;
    t.session = NULL;
    tear_down();
}

/* A host that is too busy to read has no use for another attach. */
static void what_is_being_read_is_not_missing(void)
{
    set_up(SECOND);
    open_session();
    WAIT_UNTIL(t.state == JVM_STATE_PROFILING, 2000);
    reader.delay = 14000;
    WAIT_UNTIL(reader.done, 8000);
    const uint64_t until = uv_hrtime() + 13 * SECOND;
    WAIT_UNTIL(uv_hrtime() > until, 20000);
    CHECK_INT(t.state, JVM_STATE_PROFILING);
    CHECK_INT(profiler.calls[OP_START], 1);
    reader.delay = 0;
    tear_down();
}

static void a_process_that_is_gone_already_is_no_session(void)
{
    set_up(60 * SECOND);
    static const struct jvm_session_events events = {.chunk = on_chunk, .state = on_state, .closed = on_closed};
    struct jvm_id id = {t.child, 1}; /* its pid belonged to another one */
    t.session = jvm_session_open(&t.loop, NULL, id, &t.config, &events, NULL);
    WAIT_UNTIL(t.closed, 2000);
    CHECK_INT(profiler.calls[OP_START], 0);
    CHECK_INT(t.state, JVM_STATE_GONE);
    tear_down();
}

static void new_settings_roll_over_and_end_the_interval(void)
{
    set_up(60 * SECOND);
    open_session();
    WAIT_UNTIL(t.state == JVM_STATE_PROFILING, 2000);
    jvm_session_update(t.session, &t.config); /* equal ones do nothing */
    t.config.events = "event=wall";
    jvm_session_update(t.session, &t.config);
    WAIT_UNTIL(t.chunks == 2, 2000);
    CHECK_INT(profiler.calls[OP_ROLL], 1);
    CHECK_HAS(profiler.options, "event=wall");
    CHECK_INT(t.marks[0], 's');
    CHECK(!t.last[0] && t.last[1]);
    tear_down();
    CHECK_INT(profiler.calls[OP_ROLL], 1);
}

static void new_settings_are_tried_at_once_where_the_old_were_refused(void)
{
    set_up(60 * SECOND);
    profiler.answers[OP_START] = JVM_NO_ATTACH;
    open_session();
    WAIT_UNTIL(t.was_waiting, 2000);
    profiler.answers[OP_START] = JVM_OK;
    t.config.events = "event=wall";
    jvm_session_update(t.session, &t.config);
    WAIT_UNTIL(t.state == JVM_STATE_PROFILING, 1000);
    CHECK_HAS(profiler.options, "event=wall");
    tear_down();
    CHECK_INT(profiler.calls[OP_ROLL], 0);
}

static void rolls_over_in_time_and_right_after_a_chunk(void)
{
    set_up(SECOND);
    t.config.roll_ns = 3 * SECOND / 2;
    open_session();
    WAIT_UNTIL(profiler.calls[OP_ROLL] == 1, 5000);
    CHECK_INT(t.lasts, 2);
    WAIT_UNTIL(t.lasts == 4, 5000);
    /* The old recording's last bit belongs to the interval it began. */
    CHECK_INT(t.marks[2], 's');
    CHECK(!t.last[2] && t.last[3]);
    CHECK_INT(profiler.calls[OP_METRICS], 0); /* for so few bytes there is nothing to ask */
    tear_down();
}

static void rolls_over_early_when_the_profiler_grows(void)
{
    set_up(SECOND);
    t.config.roll_ns = 12 * SECOND; /* so that it is asked every three seconds */
    profiler.metrics = "mem_flightrecorder_kb 900000\nmem_calltracestorage_kb 10000\n";
    profiler.events = 5 << 20;
    open_session();
    WAIT_UNTIL(profiler.calls[OP_METRICS] == 1, 6000);
    const unsigned chunks = t.chunks;
    WAIT_UNTIL(t.chunks > chunks, 3000); /* the answer was there before */
    CHECK_INT(profiler.calls[OP_ROLL], 0);
    profiler.metrics = "mem_calltracestorage_kb 60000\n";
    WAIT_UNTIL(profiler.calls[OP_ROLL] == 1, 5000);
    CHECK_INT(profiler.calls[OP_METRICS], 2);
    tear_down();
}

static void drains_an_earlier_agents_recording_first(void)
{
    set_up(60 * SECOND);
    profiler.fd = memfd_create("earlier", MFD_CLOEXEC);
    int64_t at = wall_ns() - 100 * SECOND;
    profiler.end = 100 * 4096 + 77; /* consumed */
    begin_chunk(&profiler, at);
    rotate('a', at + 30 * SECOND);
    finish_chunk(&profiler, 'b', at + 60 * SECOND);
    profiler.previous_fd = profiler.fd;
    profiler.fd = -1;
    open_session();
    WAIT_UNTIL(t.chunks == 2, 2000);
    CHECK_INT(t.marks[0], 'a');
    CHECK_INT(t.marks[1], 'b');
    CHECK(!t.last[0] && t.last[1]);
    rotate('c', wall_ns());
    WAIT_UNTIL(t.chunks == 3, 7000);
    CHECK_INT(t.marks[2], 'c');
    tear_down();
}

static void reads_its_own_recording_once_when_it_is_found_again(void)
{
    set_up(SECOND);
    open_session();
    WAIT_UNTIL(t.state == JVM_STATE_PROFILING, 2000);
    profiler.previous_fd = dup(profiler.fd);
    profiler.answers[OP_DUMP] = JVM_REFUSED; /* it does not run, as far as it says */
    rotate('a', wall_ns());
    WAIT_UNTIL(profiler.calls[OP_START] == 2, 3000);
    profiler.answers[OP_DUMP] = JVM_OK;
    CHECK(t.was_waiting);
    WAIT_UNTIL(t.lasts >= 2, 5000);
    unsigned a = 0, s = 0;
    for (unsigned i = 0; i < t.chunks; i++) {
        a += t.marks[i] == 'a';
        s += t.marks[i] == 's';
    }
    CHECK_INT(a, 1);
    CHECK_INT(s, 1);
    tear_down();
}

static void starts_anew_when_the_recording_is_damaged(void)
{
    set_up(60 * SECOND);
    open_session();
    WAIT_UNTIL(t.state == JVM_STATE_PROFILING, 2000);
    CHECK_INT(pwrite(profiler.fd, "XXXX", 4, (off_t)profiler.chunk_at), 4);
    WAIT_UNTIL(profiler.calls[OP_START] == 2, 15000);
    WAIT_UNTIL(t.state == JVM_STATE_PROFILING, 2000);
    tear_down();
}

/* Suspended past a roll-over, then continued: the reason goes with the first profile, not with the next retry. */
static void a_chunk_after_a_timeout_ends_the_wait_at_once(void)
{
    set_up(5 * SECOND);
    t.config.roll_ns = SECOND / 2;
    profiler.answers[OP_ROLL] = profiler.answers[OP_START] = JVM_OK;
    open_session();
    WAIT_UNTIL(t.state == JVM_STATE_PROFILING, 2000);
    profiler.answers[OP_ROLL] = profiler.answers[OP_START] = JVM_TIMEOUT;
    int64_t at = profiler.chunk_began;
    rotate('a', at + SECOND);
    /* Late enough that the next retry by itself is some seconds away. */
    WAIT_UNTIL(profiler.calls[OP_START] == 5, 20000);
    WAIT_UNTIL(t.state == JVM_STATE_BACKING_OFF && jvm_session_next_ns(t.session) > 6 * SECOND, 9000);
    profiler.answers[OP_ROLL] = profiler.answers[OP_START] = JVM_OK;
    rotate('b', at + 2 * SECOND);
    const int64_t from = (int64_t)uv_hrtime();
    WAIT_UNTIL(t.state == JVM_STATE_PROFILING, 9000);
    CHECK((int64_t)uv_hrtime() - from < 6 * SECOND);
    CHECK_STR(t.reason, "");
    tear_down();
}

int main(void)
{
    RUN(cuts_short_intervals_by_dump);
    RUN(cuts_the_first_profile_early_and_leaves_the_rest_to_the_profiler);
    RUN(a_long_interval_is_the_sum_of_its_chunks);
    RUN(a_hole_in_time_ends_the_interval);
    RUN(retries_what_may_pass_and_says_why_it_waits);
    RUN(leaves_alone_what_will_not_pass);
    RUN(closes_in_time_although_the_jvm_is_stuck);
    RUN(stops_what_started_while_it_was_closing);
    RUN(reads_what_an_ended_process_left);
    RUN(a_slow_read_after_the_end_is_waited_for);
    RUN(what_is_being_read_is_not_missing);
    RUN(a_process_that_is_gone_already_is_no_session);
    RUN(new_settings_roll_over_and_end_the_interval);
    RUN(new_settings_are_tried_at_once_where_the_old_were_refused);
    RUN(rolls_over_in_time_and_right_after_a_chunk);
    RUN(rolls_over_early_when_the_profiler_grows);
    RUN(drains_an_earlier_agents_recording_first);
    RUN(reads_its_own_recording_once_when_it_is_found_again);
    RUN(starts_anew_when_the_recording_is_damaged);
    RUN(a_chunk_after_a_timeout_ends_the_wait_at_once);
    return REPORT();
}
