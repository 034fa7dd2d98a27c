#include "api/agent/agent_take.h"

#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/mem.h"
#include "base/str.h"
#include "flow/jvm_record.h"
#include "graph/view.h"
#include "jfr/shared_chunk.h"

/* A chunk that cannot be closed early ends by itself within a minute. */
enum { FIRST_CUT_MS = 3000, LAST_CUT_MS = 65000 };
/* A cut takes effect a little after it was asked for. */
static const int64_t CUT_SPARE_NS = 200000000;

enum take_phase { TAKE_FIRST_CUT, TAKE_RUNNING, TAKE_LAST_CUT };

struct agent_take {
    struct jvm_recorder recorder;
    uv_timer_t timer;
    enum take_phase phase;
    uint64_t duration_ms;
    int64_t until_ns; /* wall clock, in the last phase */
    const struct agent_take_events *events;
    void *arg;
};

static void agent_take_on_timer(uv_timer_t *timer);

static void agent_take_run(struct agent_take *t)
{
    t->phase = TAKE_RUNNING;
    uv_timer_start(&t->timer, agent_take_on_timer, t->duration_ms, 0);
    if (t->events->begun)
        t->events->begun(t->arg);
}

static void agent_take_end(struct agent_take *t)
{
    uv_timer_stop(&t->timer);
    jvm_recorder_leave(&t->recorder);
    t->events->over(t->arg);
}

void agent_take_finish(struct agent_take *t)
{
    if (t->phase == TAKE_LAST_CUT)
        return;
    t->phase = TAKE_LAST_CUT;
    t->until_ns = clock_wall_ns() - CUT_SPARE_NS;
    uv_timer_start(&t->timer, agent_take_on_timer, LAST_CUT_MS, 0);
    jvm_recorder_cut(&t->recorder);
}

static void agent_take_on_timer(uv_timer_t *timer)
{
    struct agent_take *t = timer->data;
    switch (t->phase) {
    case TAKE_FIRST_CUT:
        agent_take_run(t);
        break;
    case TAKE_RUNNING:
        agent_take_finish(t);
        break;
    case TAKE_LAST_CUT:
        agent_take_end(t);
        break;
    }
}

static void agent_take_on_chunk(void *arg, struct jfr_chunk *c)
{
    struct agent_take *t = arg;
    if (t->phase == TAKE_FIRST_CUT) { /* it ends where the recording begins */
        agent_take_run(t);
        return;
    }
    if (!t->events->chunk(t->arg, c) || (t->phase == TAKE_LAST_CUT && c->end_ns >= t->until_ns))
        agent_take_end(t);
}

static void agent_take_on_ended(void *arg)
{
    agent_take_end(arg);
}

/* ---- who profiles it, and what ---- */

/* Does "event=itimer,alloc=512k" sample `name`? */
static bool agent_take_samples(const char *options, struct str name)
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
static struct str agent_take_missing_event(const char *events, const char *options)
{
    struct str rest = str_of(events ? events : ""), item;
    while (str_split(&rest, ',', &item)) {
        const char *eq = item.n ? memchr(item.p, '=', item.n) : NULL;
        const struct str name = {item.p, eq ? (size_t)(eq - item.p) : item.n};
        if (name.n && !agent_take_samples(options, name))
            return name;
    }
    return (struct str){0};
}

struct take_search {
    struct controller *controller;
    struct jvm_recorder *recorder;
    const struct agent_take_request *rq;
    int code;
    struct err err;
};

static bool agent_take_try(void *arg, const struct component_view *v)
{
    struct take_search *s = arg;
    const int code = controller_record(s->controller, v->id, s->rq->pid, s->rq->start_time, s->recorder, &s->err);
    if (code != -ENOENT)
        s->code = code;
    return code != 0;
}

static int agent_take_attach(struct agent_take *t, struct controller *c, const struct agent_take_request *rq,
                             struct err *err)
{
    struct take_search s = {c, &t->recorder, rq, -ENOENT, {0}};
    controller_each_deep(c, agent_take_try, &s);
    if (s.code == -ENOENT)
        return err_set(err, -ENOENT, "no component of this agent profiles process %d", (int)rq->pid);
    if (s.code < 0)
        return err_set(err, -EAGAIN, "%s", s.err.text);
    const struct str missing = agent_take_missing_event(rq->events, t->recorder.options);
    if (!missing.n)
        return 0;
    return err_set(err, -EAGAIN,
                   "the agent samples %s in this JVM, without %.*s: record without this event, or add it to "
                   "profiling_config of the agent",
                   t->recorder.options, STR_ARG(missing));
}

/* ---- requests ---- */

static bool agent_take_number(struct request *rq, const char *name, uint64_t most, uint64_t *ret)
{
    const char *said = request_query(rq, name);
    return said && str_to_u64(str_of(said), ret) && *ret > 0 && *ret <= most;
}

bool agent_take_read(struct request *rq, uint64_t seconds_max, struct agent_take_request *ret)
{
    uint64_t pid = 0;
    *ret = (struct agent_take_request){.events = request_query(rq, "events")};
    if (agent_take_number(rq, "pid", INT_MAX, &pid) &&
        agent_take_number(rq, "start_time", UINT64_MAX, &ret->start_time) &&
        agent_take_number(rq, "seconds", seconds_max, &ret->seconds)) {
        ret->pid = (pid_t)pid;
        return true;
    }
    request_reply_text(rq, 400, "expected pid, start_time, and seconds from 1 to %llu\n",
                       (unsigned long long)seconds_max);
    return false;
}

void agent_take_refuse(struct request *rq, int code, const struct err *err)
{
    request_reply_text(rq, code == -ENOENT ? 404 : 409, "%s\n", err->text);
}

/* ---- life ---- */

int agent_take_new(uv_loop_t *loop, struct controller *c, const struct agent_take_request *rq,
                   const struct agent_take_events *events, void *arg, struct agent_take **ret, struct err *err)
{
    struct agent_take *t = xcalloc(1, sizeof *t);
    t->duration_ms = rq->seconds * 1000;
    t->events = events;
    t->arg = arg;
    list_init(&t->recorder.node);
    t->recorder.chunk = agent_take_on_chunk;
    t->recorder.ended = agent_take_on_ended;
    t->recorder.arg = t;
    uv_timer_init(loop, &t->timer);
    t->timer.data = t;
    const int code = agent_take_attach(t, c, rq, err);
    if (code < 0) {
        agent_take_free(t);
        return code;
    }
    uv_timer_start(&t->timer, agent_take_on_timer, FIRST_CUT_MS, 0);
    *ret = t;
    jvm_recorder_cut(&t->recorder);
    return 0;
}

const struct convert_options *agent_take_conversion(const struct agent_take *t)
{
    return t->recorder.conversion;
}

static void agent_take_on_timer_closed(uv_handle_t *h)
{
    free(h->data);
}

void agent_take_free(struct agent_take *t)
{
    if (!t)
        return;
    jvm_recorder_leave(&t->recorder);
    uv_close((uv_handle_t *)&t->timer, agent_take_on_timer_closed);
}
