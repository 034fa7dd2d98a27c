#include "api/agent/agent_record.h"

#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "base/list.h"
#include "base/mem.h"
#include "flow/jvm_record.h"
#include "graph/view.h"
#include "jfr/shared_chunk.h"

/* A chunk that cannot be closed early ends by itself within a minute. */
enum { FIRST_CUT_MS = 3000, LAST_CUT_MS = 65000, TOKEN_MAX = 64 };
/* What may wait for a client: two of the largest chunks. */
enum { WAITING_MAX = 32 << 20 };
/* A cut takes effect a little after it was asked for. */
static const int64_t CUT_SPARE_NS = 200000000;

struct agent_record {
    uv_loop_t *loop;
    struct controller *controller;
    struct list takes;
    size_t count;
};

enum take_phase { TAKE_FIRST_CUT, TAKE_RUNNING, TAKE_LAST_CUT };

struct take {
    struct list link;
    struct agent_record *owner;
    struct jvm_recorder recorder;
    struct reply_stream *stream;
    uv_timer_t timer;
    enum take_phase phase;
    uint64_t duration_ms;
    int64_t until_ns; /* wall clock, in the last phase */
    char token[TOKEN_MAX + 1];
};

/* ---- one recording ---- */

static void record_take_on_timer_closed(uv_handle_t *h)
{
    free(h->data);
}

/* The stream is over. */
static void record_take_gone(void *arg)
{
    struct take *t = arg;
    jvm_recorder_leave(&t->recorder);
    list_del(&t->link);
    t->owner->count--;
    uv_close((uv_handle_t *)&t->timer, record_take_on_timer_closed);
}

static void record_take_end(struct take *t)
{
    stream_end(t->stream);
    record_take_gone(t);
}

static void record_take_on_timer(uv_timer_t *timer);

static void record_take_run(struct take *t)
{
    t->phase = TAKE_RUNNING;
    uv_timer_start(&t->timer, record_take_on_timer, t->duration_ms, 0);
}

static void record_take_finish(struct take *t)
{
    if (t->phase == TAKE_LAST_CUT)
        return;
    t->phase = TAKE_LAST_CUT;
    t->until_ns = clock_wall_ns() - CUT_SPARE_NS;
    uv_timer_start(&t->timer, record_take_on_timer, LAST_CUT_MS, 0);
    jvm_recorder_cut(&t->recorder);
}

static void record_take_on_timer(uv_timer_t *timer)
{
    struct take *t = timer->data;
    switch (t->phase) {
    case TAKE_FIRST_CUT:
        record_take_run(t);
        break;
    case TAKE_RUNNING:
        record_take_finish(t);
        break;
    case TAKE_LAST_CUT:
        record_take_end(t);
        break;
    }
}

static void record_take_on_chunk(void *arg, struct jfr_chunk *c)
{
    struct take *t = arg;
    const struct str bytes = {(const char *)c->bytes, c->len};
    if (t->phase == TAKE_FIRST_CUT) { /* it ends where the recording begins */
        record_take_run(t);
        return;
    }
    if (!stream_send(t->stream, bytes) || (t->phase == TAKE_LAST_CUT && c->end_ns >= t->until_ns))
        record_take_end(t);
}

static void record_take_on_ended(void *arg)
{
    record_take_end(arg);
}

/* ---- requests ---- */

static bool record_number(struct request *rq, const char *name, uint64_t most, uint64_t *ret)
{
    const char *said = request_query(rq, name);
    return said && str_to_u64(str_of(said), ret) && *ret > 0 && *ret <= most;
}

/* Does "event=itimer,alloc=512k" sample `name`? */
static bool record_samples(const char *options, struct str name)
{
    struct str rest = str_of(options), item;
    while (str_split(&rest, ',', &item)) {
        struct str key = item;
        const char *eq = item.n ? memchr(item.p, '=', item.n) : NULL;
        if (eq)
            key.n = (size_t)(eq - item.p);
        const struct str value = eq ? (struct str){eq + 1, item.n - key.n - 1} : (struct str){0};
        if (str_eq(key, name) || (str_is(key, "event") && str_eq(value, name)))
            return true;
    }
    return false;
}

/* The first of the events asked for that the session does not sample; empty = none. */
static struct str record_missing_event(struct request *rq, const char *options)
{
    const char *events = request_query(rq, "events");
    struct str rest = str_of(events ? events : ""), item;
    while (str_split(&rest, ',', &item)) {
        const char *eq = item.n ? memchr(item.p, '=', item.n) : NULL;
        const struct str name = {item.p, eq ? (size_t)(eq - item.p) : item.n};
        if (name.n && !record_samples(options, name))
            return name;
    }
    return (struct str){0};
}

struct record_search {
    struct controller *controller;
    struct jvm_recorder *recorder;
    pid_t pid;
    uint64_t start_time;
    int code;
    struct err err;
};

static bool record_try(void *arg, const struct component_view *v)
{
    struct record_search *s = arg;
    const int code = controller_record(s->controller, v->id, s->pid, s->start_time, s->recorder, &s->err);
    if (code != -ENOENT)
        s->code = code;
    return code != 0;
}

static struct take *record_take_new(struct agent_record *r, uint64_t seconds, const char *token)
{
    struct take *t = xcalloc(1, sizeof *t);
    t->owner = r;
    t->duration_ms = seconds * 1000;
    snprintf(t->token, sizeof t->token, "%s", token ? token : "");
    list_init(&t->recorder.node);
    t->recorder.chunk = record_take_on_chunk;
    t->recorder.ended = record_take_on_ended;
    t->recorder.arg = t;
    uv_timer_init(r->loop, &t->timer);
    t->timer.data = t;
    list_push(&r->takes, &t->link);
    r->count++;
    return t;
}

/* Attaches it to the JVM, or replies why not. */
static bool record_attach(struct agent_record *r, struct take *t, pid_t pid, uint64_t start_time, struct request *rq)
{
    struct record_search s = {r->controller, &t->recorder, pid, start_time, -ENOENT, {0}};
    controller_each_deep(r->controller, record_try, &s);
    if (s.code == -ENOENT) {
        request_reply_text(rq, 404, "no component of this agent profiles process %d\n", (int)pid);
        return false;
    }
    if (s.code < 0) {
        request_reply_text(rq, 409, "%s\n", s.err.text);
        return false;
    }
    const struct str missing = record_missing_event(rq, t->recorder.options);
    if (!missing.n)
        return true;
    request_reply_text(rq, 409,
                       "the agent samples %s in this JVM, without %.*s: record without this event, or add it to "
                       "profiling_config of the agent\n",
                       t->recorder.options, STR_ARG(missing));
    return false;
}

void agent_record_start(struct agent_record *r, struct request *rq)
{
    uint64_t pid = 0, start_time = 0, seconds = 0;
    if (!record_number(rq, "pid", INT_MAX, &pid) || !record_number(rq, "start_time", UINT64_MAX, &start_time) ||
        !record_number(rq, "seconds", AGENT_RECORD_MAX_S, &seconds)) {
        request_reply_text(rq, 400, "expected pid, start_time, and seconds from 1 to %d\n", AGENT_RECORD_MAX_S);
        return;
    }
    if (r->count >= AGENT_RECORDINGS) {
        request_reply_text(rq, 503, "%d recordings are running; try again later\n", AGENT_RECORDINGS);
        return;
    }
    struct take *t = record_take_new(r, seconds, request_query(rq, "token"));
    if (!record_attach(r, t, (pid_t)pid, start_time, rq) ||
        !(t->stream = request_stream(rq, "application/octet-stream", record_take_gone, t))) {
        record_take_gone(t);
        return;
    }
    stream_set_max(t->stream, WAITING_MAX);
    uv_timer_start(&t->timer, record_take_on_timer, FIRST_CUT_MS, 0);
    jvm_recorder_cut(&t->recorder);
}

void agent_record_stop(struct agent_record *r, struct request *rq)
{
    const char *token = request_query(rq, "token");
    list_each(&r->takes, node)
    {
        struct take *t = list_entry(node, struct take, link);
        if (token && *token && strcmp(t->token, token) == 0) {
            record_take_finish(t);
            request_reply_text(rq, 200, "stopping\n");
            return;
        }
    }
    request_reply_text(rq, 404, "no recording with this token\n");
}

/* ---- life ---- */

struct agent_record *agent_record_new(uv_loop_t *loop, struct controller *c)
{
    struct agent_record *r = xcalloc(1, sizeof *r);
    *r = (struct agent_record){.loop = loop, .controller = c};
    list_init(&r->takes);
    return r;
}

void agent_record_free(struct agent_record *r)
{
    if (!r)
        return;
    list_each(&r->takes, node) record_take_end(list_entry(node, struct take, link));
    free(r);
}
