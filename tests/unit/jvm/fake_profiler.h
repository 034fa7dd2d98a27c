/* A session and its owner, against a profiler played by this file: faults on demand, real time, real descriptors, a
 * real process.
 *
 * It stands in for jvm/operation/client.c, so that a test which includes it links none of that.
 */
#pragma once

#include "jvm/operation/ending.h"
#include "jvm/session/session.h"

#include <signal.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "base/metric.h"
#include "jvm/operation/client.h"
#include "jvm/operation/crash.h"
#include "jvm/session/intake.h"
#include "os/pidref.h"
#include "test.h"

enum { HEADER = 68, CHUNKS_MAX = 32 };
static const int64_t SECOND = 1000000000;

/* ---- the profiler ---- */

enum op { OP_START, OP_ROLL, OP_DUMP, OP_STOP, OP_METRICS, OP_LOOK, OP_COUNT };

static struct profiler {
    enum jvm_outcome answers[OP_COUNT]; /* JVM_OK unless a test says otherwise */
    bool stuck;                         /* no answer at all */
    bool untouched;                     /* it did not come to an attach */
    unsigned calls[OP_COUNT];
    char options[1024];              /* of the last start or roll */
    struct degraded asked, degraded; /* of the last start or roll; what its reply says */
    struct jvm_makeup makeup;        /* likewise */
    uint64_t left;                   /* likewise; 0 = no limit */
    const char *metrics;
    const char *stranger;  /* another profiler's library, of start and look; NULL = none */
    bool stranger_running; /* of look */
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
    char condemned[256], crashed[256];
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
        snprintf(r->text, sizeof r->text, "%s", profiler.stranger ? profiler.stranger : "");
        r->previous_fd = profiler.previous_fd;
        profiler.previous_fd = -1;
        break;
    case OP_DUMP:
        rotate('d', wall_ns());
        break;
    case OP_STOP:
        stop_profiler('s');
        break;
    case OP_LOOK:
        snprintf(r->text, sizeof r->text, "%s", profiler.stranger ? profiler.stranger : "");
        r->was_running = profiler.stranger_running;
        break;
    default:
        snprintf(r->text, sizeof r->text, "%s", profiler.metrics ? profiler.metrics : "");
    }
}

static void on_reply(uv_timer_t *timer)
{
    (void)timer;
    struct jvm_reply r = JVM_REPLY_INIT(profiler.answers[profiler.op]);
    if (profiler.left)
        r.left = profiler.left;
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

static uint64_t call(enum op op, const struct jvm_request *s, jvm_done *done, void *arg)
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

uint64_t jvm_start(struct priv *p, const struct jvm_request *s, jvm_done *done, void *arg)
{
    (void)p;
    return call(OP_START, s, done, arg);
}
uint64_t jvm_roll(struct priv *p, const struct jvm_request *s, jvm_done *done, void *arg)
{
    (void)p;
    return call(OP_ROLL, s, done, arg);
}
uint64_t jvm_dump(struct priv *p, const struct jvm_request *s, jvm_done *done, void *arg)
{
    (void)p;
    return call(OP_DUMP, s, done, arg);
}
uint64_t jvm_stop(struct priv *p, const struct jvm_request *s, jvm_done *done, void *arg)
{
    (void)p;
    return call(OP_STOP, s, done, arg);
}
uint64_t jvm_metrics(struct priv *p, const struct jvm_request *s, jvm_done *done, void *arg)
{
    (void)p;
    return call(OP_METRICS, s, done, arg);
}
uint64_t jvm_look(struct priv *p, const struct jvm_request *s, jvm_done *done, void *arg)
{
    (void)p;
    return call(OP_LOOK, s, done, arg);
}
/* Reading in place, answered from the loop as the helper would. */
static struct reader {
    struct jvm_read read;
    jvm_read_done *done;
    void *arg;
    uv_timer_t reply;
    unsigned silent; /* so many steps end without an answer */
    unsigned delay;  /* before an answer, ms */
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
    uv_timer_start(&reader.reply, on_read_reply, reader.delay ? reader.delay : 1, 0);
    return 2;
}

void jvm_close_recording(struct priv *p, uint64_t user, int fd)
{
    (void)p, (void)user;
    close(fd);
}

/* What HotSpot and the kernel wrote about the end. */
static struct coroner {
    struct jvm_crash found;
    unsigned calls;
    bool stuck; /* no answer at all */
    jvm_crash_done *done;
    void *arg;
    uv_timer_t reply;
} coroner;

static void on_crash_reply(uv_timer_t *timer)
{
    (void)timer;
    coroner.done(coroner.arg, &coroner.found);
}

uint64_t jvm_read_crash(struct priv *p, const struct jvm_crash_request *r, jvm_crash_done *done, void *arg)
{
    (void)p;
    CHECK_INT(r->pid, t.child);
    coroner.calls++;
    coroner.done = done;
    coroner.arg = arg;
    if (!coroner.stuck)
        uv_timer_start(&coroner.reply, on_crash_reply, 2, 0);
    return 3;
}

uint64_t jvm_ending(struct priv *p, uint64_t user, struct jvm_id id, jvm_ending_done *done, void *arg)
{
    (void)p, (void)user, (void)id;
    done(arg, false, 0); /* nobody tells */
    return 0;
}

void priv_forget(struct priv *p, uint64_t id)
{
    if (id == 3) {
        uv_timer_stop(&coroner.reply);
        return;
    }
    if (id == 2) {
        uv_timer_stop(&reader.reply);
        jfr_chunk_unref(reader.read.chunk);
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
    static const char *const names[] = {"ok",      "gone",   "not hotspot", "no attach", "foreign",  "timeout",
                                        "refused", "failed", "no room",     "lost",      "condemned"};
    return names[o];
}

/* ---- the session's owner ---- */

static void on_chunk(void *arg, struct jfr_chunk *c)
{
    (void)arg;
    CHECK(t.chunks < CHUNKS_MAX && (c->bytes || c->last_of_interval));
    if (t.chunks < CHUNKS_MAX) {
        t.marks[t.chunks] = c->bytes ? c->bytes[c->len - 1] : 0;
        t.last[t.chunks++] = c->last_of_interval;
    }
    t.lasts += c->last_of_interval;
}

static void on_state(void *arg, enum jvm_state state, const char *reason)
{
    (void)arg;
    t.state = state;
    t.was_waiting =
        t.was_waiting || state == JVM_STATE_WAITING || state == JVM_STATE_BACKING_OFF || state == JVM_STATE_REFUSED;
    t.starts_without_reason += state == JVM_STATE_ATTACHING && !*reason;
    snprintf(t.reason, sizeof t.reason, "%s", reason);
}

static void on_condemned(void *arg, const struct jvm_makeup *m, const char *text)
{
    (void)arg;
    snprintf(t.condemned, sizeof t.condemned, "%s %s", m->main, text);
}

static void on_crashed(void *arg, const struct jvm_makeup *m, const char *text)
{
    (void)arg;
    snprintf(t.crashed, sizeof t.crashed, "%s %s", m->main, text);
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
        signal(SIGSEGV, SIG_DFL); /* a sanitizer would make an exit of it */
        for (;;)
            pause();
    }
    return pid;
}

static void open_session(void)
{
    static const struct jvm_session_events events = {
        .chunk = on_chunk, .state = on_state, .condemned = on_condemned, .crashed = on_crashed, .closed = on_closed};
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
    memset(&coroner, 0, sizeof coroner);
    profiler.fd = profiler.previous_fd = -1;
    uv_loop_init(&t.loop);
    uv_timer_init(&t.loop, &profiler.reply);
    uv_timer_init(&t.loop, &reader.reply);
    uv_timer_init(&t.loop, &coroner.reply);
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
    uv_close((uv_handle_t *)&coroner.reply, NULL);
    uv_close((uv_handle_t *)&t.tick, NULL);
    uv_run(&t.loop, UV_RUN_DEFAULT);
    CHECK_INT(uv_loop_close(&t.loop), 0);
}
