/* Sessions against real JVMs and the real profiler, through the real helper: each test once per JDK of this machine.
 * Needs root. */
#include "jvm/session/session.h"

#include "base/cursor.h"
#include "helper_loop.h"
#include "java_target.h"
#include "os/pidref.h"
#include "test.h"

enum { CHUNKS_MAX = 64 };
static const int64_t SECOND = 1000000000, MILLI = 1000000;

static struct priv *priv;
static uv_loop_t *loop;
static const char *jdk;

static struct {
    struct java_target java;
    struct jvm_id id;
    struct jvm_session *session;
    struct jvm_session_config config;
    unsigned chunks, lasts, closed;
    struct {
        int64_t start_ns, end_ns;
        bool last;
    } chunk[CHUNKS_MAX];
    enum jvm_state state;
    char reason[ERR_MAX];
} t;

static void on_chunk(void *arg, struct jfr_chunk *chunk)
{
    (void)arg;
    t.lasts += chunk->last_of_interval;
    if (!chunk->bytes)
        return;
    struct cursor c = cursor_of(chunk->bytes, chunk->len);
    (void)cursor_bytes(&c, 32);
    if (t.chunks < CHUNKS_MAX) {
        t.chunk[t.chunks].start_ns = (int64_t)cursor_be64(&c);
        t.chunk[t.chunks].end_ns = t.chunk[t.chunks].start_ns + (int64_t)cursor_be64(&c);
        t.chunk[t.chunks++].last = chunk->last_of_interval;
    }
}

static void on_state(void *arg, enum jvm_state state, const char *reason)
{
    (void)arg;
    t.state = state;
    snprintf(t.reason, sizeof t.reason, "%s", reason);
}

static void on_closed(void *arg)
{
    (void)arg;
    t.closed++;
    t.session = NULL;
}

#define WAIT_UNTIL(cond, ms)                                                                                           \
    do {                                                                                                               \
        const uint64_t until_ = uv_hrtime() + (uint64_t)(ms)*1000000;                                                  \
        while (!(cond) && uv_hrtime() < until_)                                                                        \
            uv_run(loop, UV_RUN_ONCE);                                                                                 \
        if (!(cond))                                                                                                   \
            FAIL_("%s within %d ms; state %s, reason \"%s\"", #cond, (int)(ms), jvm_state_name(t.state), t.reason);    \
    } while (0)

static void open_session(void)
{
    static const struct jvm_session_events events = {.chunk = on_chunk, .state = on_state, .closed = on_closed};
    t.closed = 0;
    t.session = jvm_session_open(loop, priv, t.id, &t.config, &events, NULL);
}

static void set_up(int64_t interval_ns)
{
    struct pidref p = PIDREF_INIT;
    memset(&t, 0, sizeof t);
    CHECK(java_run(jdk, &t.java));
    CHECK_INT(pidref_open(t.java.pid, 0, &p, NULL), 0);
    t.id = (struct jvm_id){t.java.pid, p.start_time};
    pidref_done(&p);
    t.config = (struct jvm_session_config){.tmp_dir = "/tmp",
                                           .dist = "",
                                           .events = "event=itimer,interval=10000000,alloc=512k,lock=10ms",
                                           .interval_ns = interval_ns,
                                           .roll_ns = 900 * SECOND,
                                           .first_ns = 10 * SECOND};
}

static void tear_down(void)
{
    if (t.session) {
        jvm_session_close(t.session, 4000);
        WAIT_UNTIL(t.closed, 6000);
    }
    java_kill(&t.java);
    char said[4096];
    java_output(&t.java, said, sizeof said);
    CHECK_STR(said, "ready\n"); /* not a byte of ours */
}

/* The most that consecutive chunks leave out or count twice. */
static int64_t worst_gap(void)
{
    int64_t worst = 0;
    for (unsigned i = 1; i < t.chunks; i++) {
        const int64_t gap = llabs(t.chunk[i].start_ns - t.chunk[i - 1].end_ns);
        worst = gap > worst ? gap : worst;
    }
    return worst;
}

static void expect_tiling(int64_t slack_ns)
{
    const int64_t worst = worst_gap();
    if (worst > slack_ns)
        FAIL_("between two chunks: %.3f ms", (double)worst / 1e6);
}

/* Stopping one recording and starting the next takes 1-9 ms on an idle machine. A busy one may put the JVM off in
 * between, but hardly three times. */
static void expect_little_cost(void (*roll_over)(void))
{
    int64_t worst = INT64_MAX;
    for (int tries = 0; tries < 3 && worst > 100 * MILLI; tries++) {
        set_up(SECOND);
        roll_over();
        worst = worst_gap();
        tear_down();
    }
    if (worst > 100 * MILLI)
        FAIL_("rolling over takes %.3f ms", (double)worst / 1e6);
}

static void short_intervals_tile_time(void)
{
    set_up(SECOND);
    open_session();
    WAIT_UNTIL(t.lasts == 3, 15000);
    expect_tiling(10 * MILLI);
    for (unsigned i = 0; i < 3 && i < t.chunks; i++) {
        int64_t length = t.chunk[i].end_ns - t.chunk[i].start_ns;
        CHECK(length > SECOND * 8 / 10 && length < 3 * SECOND);
    }
    tear_down();
    CHECK_INT(t.state, JVM_STATE_GONE);
    CHECK(t.chunks >= 4); /* the last one came with the stop */
}

static void the_profiler_closes_chunks_by_itself_after_an_early_first_one(void)
{
    set_up(5 * SECOND);
    t.config.first_ns = SECOND;
    open_session();
    WAIT_UNTIL(t.lasts == 2, 15000);
    CHECK_INT(t.chunks, 2);
    CHECK(t.chunk[0].end_ns - t.chunk[0].start_ns < 3 * SECOND);
    int64_t second = t.chunk[1].end_ns - t.chunk[1].start_ns;
    CHECK(second > 4900 * MILLI && second < 6500 * MILLI);
    expect_tiling(10 * MILLI);
    tear_down();
}

static void roll_over_twice(void)
{
    t.config.roll_ns = 2 * SECOND;
    open_session();
    WAIT_UNTIL(t.lasts == 6, 20000);
    CHECK(t.chunks > 6); /* what was left of the old recordings */
}

static void rolling_over_costs_little(void)
{
    expect_little_cost(roll_over_twice);
}

static void a_later_agent_takes_over_without_a_hole(void)
{
    set_up(SECOND);
    open_session();
    WAIT_UNTIL(t.lasts == 2, 15000);
    unsigned before = t.chunks;
    jvm_session_close(t.session, 0); /* as a killed agent: nothing is stopped */
    WAIT_UNTIL(t.closed, 1000);
    open_session();
    WAIT_UNTIL(t.chunks >= before + 2, 15000);
    /* The first agent's last chunk is read by the second, once. */
    expect_tiling(100 * MILLI);
    tear_down();
}

static void change_settings(void)
{
    open_session();
    WAIT_UNTIL(t.lasts == 1, 15000);
    t.config.events = "event=wall,interval=20ms";
    jvm_session_update(t.session, &t.config);
    WAIT_UNTIL(t.lasts == 4, 15000);
    CHECK_STR(t.reason, "");
}

static void new_settings_reach_the_profiler(void)
{
    expect_little_cost(change_settings);
}

static void a_killed_jvm_ends_its_session(void)
{
    set_up(60 * SECOND);
    open_session();
    WAIT_UNTIL(t.state == JVM_STATE_PROFILING, 10000);
    kill(t.java.pid, SIGKILL);
    WAIT_UNTIL(t.closed, 3000);
    CHECK_INT(t.state, JVM_STATE_GONE);
    tear_down();
}

static void a_jvm_that_exits_leaves_its_last_chunk(void)
{
    set_up(60 * SECOND);
    open_session();
    WAIT_UNTIL(t.state == JVM_STATE_PROFILING, 10000);
    kill(t.java.pid, SIGTERM);
    WAIT_UNTIL(t.closed, 10000);
    CHECK_INT(t.chunks, 1);
    CHECK_INT(t.lasts, 1);
    tear_down();
}

static void a_suspended_jvm_does_not_hold_up_the_end(void)
{
    set_up(60 * SECOND);
    open_session();
    WAIT_UNTIL(t.state == JVM_STATE_PROFILING, 10000);
    kill(t.java.pid, SIGSTOP);
    uint64_t asked = uv_hrtime();
    jvm_session_close(t.session, 1000);
    WAIT_UNTIL(t.closed, 3000);
    CHECK((uv_hrtime() - asked) / 1000000 < 1500);
    tear_down();
}

static void a_suspended_jvm_is_profiled_again_when_it_wakes(void)
{
    set_up(SECOND);
    open_session();
    WAIT_UNTIL(t.lasts == 1, 15000);
    kill(t.java.pid, SIGSTOP);
    WAIT_UNTIL(t.reason[0], 15000);
    kill(t.java.pid, SIGCONT);
    unsigned lasts = t.lasts;
    WAIT_UNTIL(t.lasts >= lasts + 2 && !t.reason[0], 30000);
    tear_down();
}

static void all_tests(const char *home)
{
    jdk = home;
    printf("-- %s\n", jdk);
    RUN(short_intervals_tile_time);
    RUN(the_profiler_closes_chunks_by_itself_after_an_early_first_one);
    RUN(rolling_over_costs_little);
    RUN(a_later_agent_takes_over_without_a_hole);
    RUN(new_settings_reach_the_profiler);
    RUN(a_killed_jvm_ends_its_session);
    RUN(a_jvm_that_exits_leaves_its_last_chunk);
    RUN(a_suspended_jvm_does_not_hold_up_the_end);
    RUN(a_suspended_jvm_is_profiled_again_when_it_wakes);
}

int main(void)
{
    if (!helper_loop_begin(&priv, &loop))
        return REPORT();
    if (java_each(all_tests) == 0)
        SKIP(all_tests, "no JDK found");
    helper_loop_end(priv, loop);
    java_clean_up();
    return REPORT();
}
