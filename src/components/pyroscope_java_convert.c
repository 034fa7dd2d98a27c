#include "components/pyroscope_java_convert.h"

#include <stdlib.h>

#include "base/cleanup.h"
#include "base/list.h"
#include "base/mem.h"
#include "flow/dropped.h"
#include "jvm/intake.h"

/* A second worker helps once this much waits. */
enum { BACKLOG_JOBS = 8, WORKERS_MAX = 2, EVENT_MAX = 64 };

struct java_converter {
    uv_loop_t *loop;
    struct list waiting; /* struct job, oldest first */
    size_t jobs, bytes;  /* that wait */
    unsigned running;
};

struct java_stream {
    struct java_converter *converter;
    struct java_stream_events events;
    void *arg;
    struct conversion *conversion; /* the interval so far; NULL between intervals and while a worker has it */
    struct conversion_options options;
    char event[EVENT_MAX]; /* options.event */
    double tick_worth;
    bool busy;      /* a worker has a job of ours */
    size_t waiting; /* jobs */
    bool ending;
};

struct job {
    struct list node;
    uv_work_t work;
    struct java_stream *stream;
    uint8_t *bytes; /* owned */
    size_t len;
    double tick_worth;
    bool last;
    /* The worker's, and what it leaves: */
    struct conversion *conversion;
    struct conversion_options options;
    char event[EVENT_MAX];
    struct pprof_result *results; /* the conversion's */
    size_t result_count;
    int add_code, finish_code;
    struct err err;
};

static void dispatch(struct java_converter *c);

static void options_copy(struct conversion_options *to, char event[EVENT_MAX], const struct conversion_options *from)
{
    char name[EVENT_MAX];
    snprintf(name, sizeof name, "%s", from->event ? from->event : "");
    *to = *from;
    memcpy(event, name, sizeof name);
    to->event = event;
}

/* ---- in a worker ---- */

static void convert(uv_work_t *work)
{
    struct job *j = work->data;
    if (!j->conversion)
        j->conversion = conversion_new(&j->options);
    conversion_tick_worth(j->conversion, j->tick_worth);
    if (j->bytes)
        j->add_code = conversion_add(j->conversion, j->bytes, j->len, &j->err);
    free(j->bytes);
    j->bytes = NULL;
    if (!j->last)
        return;
    struct err err = {0};
    j->finish_code = conversion_finish(j->conversion, &j->results, &j->result_count, &err);
    if (j->finish_code < 0)
        j->err = err;
}

/* ---- on the loop ---- */

static void hand_out(struct java_stream *s, struct job *j)
{
    for (size_t i = 0; i < j->result_count; i++) {
        struct pprof_result *r = &j->results[i];
        struct profile *p = profile_new(TAKE_PTR(r->bytes), r->len, r->samples, r->time_nanos, r->duration_nanos);
        s->events.profile(s->arg, r->name, r->event, p);
        profile_unref(p);
    }
}

static void maybe_ended(struct java_stream *s)
{
    if (!s->ending || s->busy || s->waiting > 0)
        return;
    if (s->conversion)
        conversion_free(s->conversion);
    void (*ended)(void *) = s->events.ended;
    void *arg = s->arg;
    free(s);
    ended(arg);
}

static void converted(uv_work_t *work, int status)
{
    struct job *j = work->data;
    struct java_stream *s = j->stream;
    struct java_converter *c = s->converter;
    (void)status;
    c->running--;
    s->busy = false;
    if (j->add_code < 0)
        metric_add(&jvm_chunks_total, 1, "refused");
    if (j->add_code < 0 || j->finish_code < 0)
        s->events.refused(s->arg, j->err.text);
    struct conversion_options seen = j->options;
    conversion_settings(j->conversion, &seen);
    options_copy(&s->options, s->event, &seen);
    if (j->last) {
        hand_out(s, j);
        conversion_free(j->conversion);
    } else {
        s->conversion = j->conversion;
    }
    free(j);
    maybe_ended(s);
    dispatch(c);
}

static void unlink_job(struct java_converter *c, struct job *j)
{
    list_del(&j->node);
    c->jobs--;
    c->bytes -= j->len;
    j->stream->waiting--;
}

static void start_job(struct java_converter *c, struct job *j)
{
    struct java_stream *s = j->stream;
    unlink_job(c, j);
    s->busy = true;
    c->running++;
    j->conversion = TAKE_PTR(s->conversion);
    options_copy(&j->options, j->event, &s->options);
    j->work.data = j;
    uv_queue_work(c->loop, &j->work, convert, converted);
}

static void dispatch(struct java_converter *c)
{
    list_each(&c->waiting, node)
    {
        if (c->running >= (c->jobs > BACKLOG_JOBS ? WORKERS_MAX : 1))
            return;
        struct job *j = list_entry(node, struct job, node);
        if (!j->stream->busy)
            start_job(c, j);
    }
}

/* The interval it ends still ends: its other chunks make a profile. */
static void give_up(struct java_converter *c, struct job *j)
{
    metric_add(&dropped_profiles_total, 1, "convert_queue");
    free(j->bytes);
    j->bytes = NULL;
    c->bytes -= j->len;
    j->len = 0;
    if (j->last)
        return;
    unlink_job(c, j);
    free(j);
}

static void make_room(struct java_converter *c)
{
    list_each(&c->waiting, node)
    {
        if (c->bytes <= JAVA_CONVERT_BYTES && c->jobs <= JAVA_CONVERT_JOBS)
            return;
        struct job *j = list_entry(node, struct job, node);
        if (j->bytes && node != c->waiting.prev) /* never the newest: it alone may be larger than all room */
            give_up(c, j);
    }
}

struct java_converter *java_converter_new(uv_loop_t *loop)
{
    struct java_converter *c = xcalloc(1, sizeof *c);
    c->loop = loop;
    list_init(&c->waiting);
    return c;
}

void java_converter_free(struct java_converter *c)
{
    free(c);
}

void java_converter_hurry(struct java_converter *c)
{
    list_each(&c->waiting, node)
    {
        struct job *j = list_entry(node, struct job, node);
        struct java_stream *s = j->stream;
        if (j->bytes)
            metric_add(&dropped_profiles_total, 1, "convert_queue");
        unlink_job(c, j);
        free(j->bytes);
        free(j);
        maybe_ended(s);
    }
}

struct java_stream *java_stream_new(struct java_converter *c, const struct conversion_options *options,
                                    const struct java_stream_events *events, void *arg)
{
    struct java_stream *s = xcalloc(1, sizeof *s);
    s->converter = c;
    s->events = *events;
    s->arg = arg;
    s->tick_worth = 1;
    options_copy(&s->options, s->event, options);
    return s;
}

void java_stream_options(struct java_stream *s, const struct conversion_options *options)
{
    s->options.per_thread = options->per_thread;
}

void java_stream_tick_worth(struct java_stream *s, double worth)
{
    s->tick_worth = worth;
}

void java_stream_chunk(struct java_stream *s, uint8_t *bytes, size_t len, bool last_of_interval)
{
    struct java_converter *c = s->converter;
    struct job *j = xcalloc(1, sizeof *j);
    j->stream = s;
    j->bytes = bytes;
    j->len = bytes ? len : 0;
    j->tick_worth = s->tick_worth;
    j->last = last_of_interval;
    list_push(&c->waiting, &j->node);
    c->jobs++;
    c->bytes += j->len;
    s->waiting++;
    make_room(c);
    dispatch(c);
}

void java_stream_end(struct java_stream *s)
{
    s->ending = true;
    if (s->conversion || s->busy || s->waiting > 0)
        java_stream_chunk(s, NULL, 0, true);
    else
        maybe_ended(s); /* most processes that are no JVMs get here: nothing is open, so no worker is needed */
}
