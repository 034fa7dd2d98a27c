/* The session's decisions, against a profiler played by this file: faults on demand, real time, real descriptors, a real process.
 * The real profiler in real JVMs: test_session_real.c. */
#include "jvm/session.h"

#include <signal.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "base/metric.h"
#include "jvm/intake.h"
#include "os/pidref.h"
#include "test.h"

enum { HEADER = 68, CHUNKS_MAX = 32 };
static const int64_t SECOND = 1000000000;

/* ---- the profiler ---- */

enum op { OP_START, OP_ROLL, OP_DUMP, OP_STOP, OP_METRICS, OP_COUNT };

static struct profiler {
    enum jvm_outcome answers[OP_COUNT]; /* JVM_OK unless a test says otherwise */
    bool stuck;                         /* no answer at all */
    bool untouched;                     /* it did not come to an attach */
    unsigned calls[OP_COUNT];
    char options[1024];              /* of the last start or roll */
    struct degraded asked, degraded; /* of the last start or roll; what its reply says */
    struct jvm_makeup makeup;        /* likewise */
    const char *metrics;
    int previous_fd;
    int fd; /* the recording being written; -1: stopped */
    uint64_t chunk_at, end;
    int64_t chunk_began;
    size_t events; /* bytes of them in a chunk; 0: a few */
    /* The one call under way. */
    enum op op;
    jvm_done *done;
    void *arg;
    uv_timer_t reply;
} profiler;

static struct {
    uv_loop_t loop;
    uv_timer_t tick; /* wakes the loop, so that conditions are looked at */
    struct jvm_session *session;
    struct jvm_session_config config;
    pid_t child;
    unsigned chunks, lasts, closed;
    uint8_t marks[CHUNKS_MAX]; /* last byte of each chunk, in order; 0 = an interval ended by itself */
    bool last[CHUNKS_MAX];
    enum jvm_state state;
    char reason[ERR_MAX];
    bool was_waiting;
    unsigned starts_without_reason;
    char condemned[256];
} t;

static int64_t wall_ns(void)
{
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    return (int64_t)now.tv_sec * SECOND + now.tv_nsec;
}

static void put_be64(uint8_t *to, uint64_t v)
{
    for (int i = 7; i >= 0; i--, v >>= 8)
        to[i] = (uint8_t)v;
}

static void append(struct profiler *p, const void *bytes, size_t n)
{
    CHECK_INT(pwrite(p->fd, bytes, n, (off_t)p->end), n);
    p->end += n;
}

static void begin_chunk(struct profiler *p, int64_t at_ns)
{
    uint8_t header[HEADER] = {'F', 'L', 'R', 0, 0, 2};
    put_be64(header + 8, 1 << 30);
    put_be64(header + 32, (uint64_t)at_ns);
    p->chunk_at = p->end;
    p->chunk_began = at_ns;
    append(p, header, sizeof header);
}

static void finish_chunk(struct profiler *p, uint8_t mark, int64_t at_ns)
{
    uint8_t header[32];
    const size_t n = p->events ? p->events : 100;
    uint8_t *events = malloc(n);
    memset(events, mark, n);
    append(p, events, n);
    free(events);
    put_be64(header, p->end - p->chunk_at);
    put_be64(header + 8, HEADER + 10);
    put_be64(header + 16, HEADER);
    CHECK_INT(pwrite(p->fd, header, 24, (off_t)p->chunk_at + 8), 24);
    put_be64(header, (uint64_t)(at_ns - p->chunk_began));
    CHECK_INT(pwrite(p->fd, header, 8, (off_t)p->chunk_at + 40), 8);
}

/* As chunktime or chunksize do. */
static void rotate(uint8_t mark, int64_t at_ns)
{
    finish_chunk(&profiler, mark, at_ns);
    begin_chunk(&profiler, at_ns);
}

static void stop_profiler(uint8_t mark)
{
    if (profiler.fd < 0)
        return;
    finish_chunk(&profiler, mark, wall_ns());
    close(profiler.fd);
    profiler.fd = -1;
}

static int start_profiler(void)
{
    profiler.fd = memfd_create("recording", MFD_CLOEXEC);
    profiler.end = 0;
    begin_chunk(&profiler, wall_ns());
    return dup(profiler.fd);
}

static void act(struct jvm_reply *r)
{
    switch (profiler.op) {
    case OP_START:
    case OP_ROLL:
        stop_profiler('s');
        r->output_fd = start_profiler();
        r->previous_fd = profiler.previous_fd;
        profiler.previous_fd = -1;
        break;
    case OP_DUMP:
        rotate('d', wall_ns());
        break;
    case OP_STOP:
        stop_profiler('s');
        break;
    default:
        snprintf(r->text, sizeof r->text, "%s", profiler.metrics ? profiler.metrics : "");
    }
}

static void on_reply(uv_timer_t *timer)
{
    (void)timer;
    struct jvm_reply r = {
        .outcome = profiler.answers[profiler.op], .output_fd = -1, .previous_fd = -1, .socket_fd = -1};
    r.makeup = profiler.makeup;
    r.degraded = profiler.degraded;
    r.attach_ns = profiler.untouched ? 0 : 1000000;
    if (r.outcome == JVM_OK)
        act(&r);
    else
        snprintf(r.reason, sizeof r.reason, "because of %s", jvm_outcome_name(r.outcome));
    jvm_done *done = profiler.done;
    profiler.done = NULL;
    done(profiler.arg, &r);
}

static uint64_t call(enum op op, const struct jvm_start *s, jvm_done *done, void *arg)
{
    CHECK(!profiler.done); /* one at a time */
    profiler.calls[op]++;
    profiler.op = op;
    profiler.done = done;
    profiler.arg = arg;
    if (op == OP_START || op == OP_ROLL)
        snprintf(profiler.options, sizeof profiler.options, "%s", s->options);
    if (op == OP_START || op == OP_ROLL)
        profiler.asked = *s->degraded;
    if (!profiler.stuck)
        uv_timer_start(&profiler.reply, on_reply, 2, 0);
    return 1;
}

uint64_t jvm_start(struct priv *p, const struct jvm_start *s, jvm_done *done, void *arg)
{
    (void)p;
    return call(OP_START, s, done, arg);
}
uint64_t jvm_roll(struct priv *p, const struct jvm_start *s, jvm_done *done, void *arg)
{
    (void)p;
    return call(OP_ROLL, s, done, arg);
}
uint64_t jvm_dump(struct priv *p, const struct jvm_start *s, jvm_done *done, void *arg)
{
    (void)p;
    return call(OP_DUMP, s, done, arg);
}
uint64_t jvm_stop(struct priv *p, const struct jvm_start *s, jvm_done *done, void *arg)
{
    (void)p;
    return call(OP_STOP, s, done, arg);
}
uint64_t jvm_metrics(struct priv *p, const struct jvm_start *s, jvm_done *done, void *arg)
{
    (void)p;
    return call(OP_METRICS, s, done, arg);
}
/* Reading in place, answered from the loop as the helper would. */
static struct reader {
    struct jvm_read read;
    jvm_read_done *done;
    void *arg;
    uv_timer_t reply;
    unsigned silent; /* so many steps end without an answer */
} reader;

static void on_read_reply(uv_timer_t *timer)
{
    (void)timer;
    jvm_read_done *done = reader.done;
    reader.done = NULL;
    done(reader.arg, &reader.read);
}

uint64_t jvm_read_recording(struct priv *p, const struct jvm_reading *r, jvm_read_done *done, void *arg)
{
    (void)p;
    CHECK(!reader.done); /* one at a time */
    reader.done = done;
    reader.arg = arg;
    reader.read = (struct jvm_read){.known = !reader.silent, .recording = *r->recording};
    struct jvm_read *read = &reader.read;
    if (reader.silent)
        reader.silent--;
    else if (r->find_first && recording_find_first(&read->recording, NULL) < 0)
        read->result = RECORDING_BROKEN;
    else
        read->result = recording_next(&read->recording, r->ended, &read->chunk);
    recording_punch(&read->recording);
    uv_timer_start(&reader.reply, on_read_reply, 1, 0);
    return 2;
}

void jvm_close_recording(struct priv *p, uint64_t user, int fd)
{
    (void)p, (void)user;
    close(fd);
}

void priv_forget(struct priv *p, uint64_t id)
{
    if (id == 2) {
        uv_timer_stop(&reader.reply);
        free(reader.read.chunk.bytes);
        reader.done = NULL;
        return;
    }
    (void)p;
    (void)id;
    uv_timer_stop(&profiler.reply);
    profiler.done = NULL;
}
const char *jvm_outcome_name(enum jvm_outcome o)
{
    static const char *const names[] = {"ok",      "gone",    "not hotspot", "no attach", "foreign",
                                        "timeout", "refused", "failed",      "no room",   "condemned"};
    return names[o];
}

/* ---- the session's owner ---- */

static void on_chunk(void *arg, uint8_t *bytes, size_t len, bool last)
{
    (void)arg;
    CHECK(t.chunks < CHUNKS_MAX && (bytes || last));
    if (t.chunks < CHUNKS_MAX) {
        t.marks[t.chunks] = bytes ? bytes[len - 1] : 0;
        t.last[t.chunks++] = last;
    }
    t.lasts += last;
    free(bytes);
}

static void on_state(void *arg, enum jvm_state state, const char *reason)
{
    (void)arg;
    t.state = state;
    t.was_waiting = t.was_waiting || state == JVM_STATE_WAITING;
    t.starts_without_reason += state == JVM_STATE_STARTING && !*reason;
    snprintf(t.reason, sizeof t.reason, "%s", reason);
}

static void on_condemned(void *arg, const struct jvm_makeup *m, const char *text)
{
    (void)arg;
    snprintf(t.condemned, sizeof t.condemned, "%s %s", m->main, text);
}

static void on_closed(void *arg)
{
    (void)arg;
    t.closed++;
    t.session = NULL;
}

static void on_tick(uv_timer_t *timer)
{
    (void)timer;
}

static pid_t a_process(void)
{
    pid_t pid = fork();
    if (pid == 0) {
        for (;;)
            pause();
    }
    return pid;
}

static void open_session(void)
{
    static const struct jvm_session_events events = {
        .chunk = on_chunk, .state = on_state, .condemned = on_condemned, .closed = on_closed};
    struct pidref p = PIDREF_INIT;
    CHECK_INT(pidref_open(t.child, 0, &p, NULL), 0);
    struct jvm_id id = {t.child, p.start_time};
    pidref_done(&p);
    t.session = jvm_session_open(&t.loop, NULL, id, &t.config, &events, NULL);
}

static void set_up(int64_t interval_ns)
{
    memset(&t, 0, sizeof t);
    memset(&profiler, 0, sizeof profiler);
    profiler.fd = profiler.previous_fd = -1;
    uv_loop_init(&t.loop);
    uv_timer_init(&t.loop, &profiler.reply);
    uv_timer_init(&t.loop, &reader.reply);
    uv_timer_init(&t.loop, &t.tick);
    uv_timer_start(&t.tick, on_tick, 5, 5);
    t.child = a_process();
    t.config = (struct jvm_session_config){.tmp_dir = "/tmp",
                                           .dist = "",
                                           .events = "event=itimer",
                                           .interval_ns = interval_ns,
                                           .roll_ns = 900 * SECOND,
                                           .first_ns = 10 * SECOND};
}

#define WAIT_UNTIL(cond, ms)                                                                                           \
    do {                                                                                                               \
        const uint64_t until_ = uv_hrtime() + (uint64_t)(ms)*1000000;                                                  \
        while (!(cond) && uv_hrtime() < until_)                                                                        \
            uv_run(&t.loop, UV_RUN_ONCE);                                                                              \
        CHECK(cond);                                                                                                   \
    } while (0)

static void tear_down(void)
{
    if (t.session) {
        jvm_session_close(t.session, 500);
        WAIT_UNTIL(t.closed, 2000);
    }
    CHECK_INT(t.closed, 1);
    stop_profiler('x');
    kill(t.child, SIGKILL);
    waitpid(t.child, NULL, 0);
    uv_close((uv_handle_t *)&profiler.reply, NULL);
    uv_close((uv_handle_t *)&reader.reply, NULL);
    uv_close((uv_handle_t *)&t.tick, NULL);
    uv_run(&t.loop, UV_RUN_DEFAULT);
    CHECK_INT(uv_loop_close(&t.loop), 0);
}

/* ---- tests ---- */

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
    CHECK_INT(t.state, JVM_STATE_STOPPING);
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

/* ---- what does not fit ---- */

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
    CHECK_INT(t.state, JVM_STATE_WAITING);
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
    CHECK_INT(t.state, JVM_STATE_PROFILING);
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
    WAIT_UNTIL(t.state == JVM_STATE_PROFILING, 2000);
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
    CHECK_INT(t.state, JVM_STATE_WAITING);
    CHECK_INT(profiler.calls[OP_START], 1);
    profiler.answers[OP_START] = JVM_OK;
    CHECK_INT(quarantine_edit(dir, forgive, NULL, &err), 0);
    WAIT_UNTIL(t.state == JVM_STATE_PROFILING, 12000);
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
    RUN(a_process_that_is_gone_already_is_no_session);
    RUN(new_settings_roll_over_and_end_the_interval);
    RUN(new_settings_are_tried_at_once_where_the_old_were_refused);
    RUN(rolls_over_in_time_and_right_after_a_chunk);
    RUN(rolls_over_early_when_the_profiler_grows);
    RUN(drains_an_earlier_agents_recording_first);
    RUN(reads_its_own_recording_once_when_it_is_found_again);
    RUN(starts_anew_when_the_recording_is_damaged);
    RUN(waits_until_the_jvm_is_old_enough);
    RUN(looks_again_for_memory_and_less_and_less_often);
    RUN(a_roll_over_without_memory_is_put_off_and_profiling_goes_on);
    RUN(what_is_missing_is_said_and_not_asked_for_again);
    RUN(a_jvm_that_a_start_killed_condemns_its_make_up);
    RUN(one_that_was_not_attached_to_condemns_nobody);
    RUN(one_that_dies_of_itself_condemns_nobody);
    RUN(a_condemned_make_up_waits_until_it_is_forgiven);
    RUN(retry_crashed_does_not_wait);
    return REPORT();
}
