#include "components/pyroscope_java_convert.h"

#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "base/cleanup.h"
#include "base/list.h"
#include "base/map.h"
#include "base/mem.h"
#include "flow/dropped.h"
#include "jvm/intake.h"

/* A second worker helps once this much waits. */
enum { BACKLOG_JOBS = 8, WORKERS_MAX = 2, EVENT_MAX = 64 };

static const int64_t SECOND_NS = 1000000000, HOUR_NS = 3600000000000,
                     CREDIT_NS = INT64_C(10000000) * JAVA_CONVERT_CPU * JAVA_CONVERT_CPU_S;

struct metric_family conversion_cut_total = {.name = "smolder_conversion_cut_total",
                                             .help = "Parts of recordings left out because of a limit, by reason.",
                                             .kind = METRIC_COUNTER,
                                             .labels = {"reason"}};

/* Whose JVMs wait for their turn. Lives as long as it has streams, and then until its credit is full again. */
struct user {
    struct list node; /* in the converter's, whose turn is longest ago first */
    uint64_t key;
    struct list waiting; /* struct job, oldest first */
    size_t jobs, bytes;  /* that wait */
    size_t streams;
    unsigned running;
    int64_t credit_ns, credited_ns; /* CPU time it may still take, at that moment of the loop's clock */
};

struct java_converter {
    uv_loop_t *loop;
    struct list users;
    size_t jobs, bytes; /* that wait, of all */
    unsigned running;
};

struct java_stream {
    struct java_converter *converter;
    struct user *user;
    struct java_stream_events events;
    void *arg;
    struct conversion *conversion; /* the interval so far; NULL between intervals and while a worker has it */
    struct conversion_options options;
    char event[EVENT_MAX]; /* options.event */
    struct u64map series;  /* label sets of samples in this hour; a worker has it while busy */
    int64_t series_since_ns;
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
    int64_t received_ns; /* wall clock */
    bool last;
    /* The worker's, and what it leaves: */
    struct conversion *conversion;
    struct conversion_options options;
    char event[EVENT_MAX];
    struct pprof_result *results; /* the conversion's */
    size_t result_count;
    int add_code, finish_code;
    int64_t cpu_ns;
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

static int64_t clock_ns(clockid_t clock)
{
    struct timespec ts;
    clock_gettime(clock, &ts);
    return (int64_t)ts.tv_sec * SECOND_NS + ts.tv_nsec;
}

static void finish(struct job *j)
{
    struct err err = {0};
    j->finish_code = conversion_finish(j->conversion, &j->results, &j->result_count, &err);
    if (j->finish_code < 0)
        j->err = err;
}

static void convert(uv_work_t *work)
{
    struct job *j = work->data;
    const int64_t begun = clock_ns(CLOCK_THREAD_CPUTIME_ID);
    if (!j->conversion)
        j->conversion = conversion_new(&j->options);
    conversion_tick_worth(j->conversion, j->tick_worth);
    conversion_received(j->conversion, j->received_ns);
    if (j->bytes)
        j->add_code = conversion_add(j->conversion, j->bytes, j->len, &j->err);
    free(j->bytes);
    j->bytes = NULL;
    if (j->last)
        finish(j);
    j->cpu_ns = clock_ns(CLOCK_THREAD_CPUTIME_ID) - begun;
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

/* What did not fit so far, for people, and at the end of the interval for metrics. */
static void tell_cuts(struct java_stream *s, const struct conversion *c, bool last)
{
    char text[ERR_MAX] = "";
    const struct cut_count *cuts = conversion_cuts(c);
    for (size_t i = 0; i < CUT_REASONS; i++) {
        if (cuts[i].count == 0)
            continue;
        const size_t n = strlen(text);
        if (last)
            metric_add(&conversion_cut_total, (double)cuts[i].count, cut_reasons[i].name);
        snprintf(text + n, sizeof text - n, "%s%llu %s",
                 n ? "; " : "recording truncated: ", (unsigned long long)cuts[i].count, cut_reasons[i].text);
    }
    if (last || *text)
        s->events.cut(s->arg, text);
}

/* Earns its share of a processor as time goes by, up to what it has when it is new. */
static void settle_credit(struct user *u)
{
    const int64_t now = (int64_t)uv_hrtime();
    const int64_t earned = (now - u->credited_ns) / 100 * JAVA_CONVERT_CPU;
    u->credit_ns = earned >= CREDIT_NS - u->credit_ns ? CREDIT_NS : u->credit_ns + earned;
    u->credited_ns = now;
}

/* Whoever comes back with a new process has used what it used. */
static void forget_users(struct java_converter *c, bool all)
{
    list_each(&c->users, node)
    {
        struct user *u = list_entry(node, struct user, node);
        settle_credit(u);
        if (all || (u->streams == 0 && u->credit_ns == CREDIT_NS)) {
            list_del(&u->node);
            free(u);
        }
    }
}

static struct user *user_of(struct java_converter *c, uint64_t key)
{
    forget_users(c, false);
    list_each(&c->users, node)
    {
        struct user *u = list_entry(node, struct user, node);
        if (u->key == key)
            return u;
    }
    struct user *u = xcalloc(1, sizeof *u);
    u->key = key;
    list_init(&u->waiting);
    u->credit_ns = CREDIT_NS;
    u->credited_ns = (int64_t)uv_hrtime();
    list_push(&c->users, &u->node);
    return u;
}

void java_converter_charge(struct java_converter *c, uint64_t user, int64_t cpu_ns)
{
    struct user *u = user_of(c, user);
    settle_credit(u);
    u->credit_ns -= cpu_ns;
}

static void stream_free(struct java_stream *s)
{
    s->user->streams--;
    if (s->conversion)
        conversion_free(s->conversion);
    u64map_done(&s->series);
    free(s);
}

static void maybe_ended(struct java_stream *s)
{
    if (!s->ending || s->busy || s->waiting > 0)
        return;
    void (*ended)(void *) = s->events.ended;
    void *arg = s->arg;
    stream_free(s);
    ended(arg);
}

/* ---- whose turn it is ---- */

/* The oldest job whose stream no worker is at; NULL. */
static struct job *next_job(const struct user *u)
{
    list_each(&u->waiting, node)
    {
        struct job *j = list_entry(node, struct job, node);
        if (!j->stream->busy)
            return j;
    }
    return NULL;
}

/* Who has waited longest, of those within their budget if there are any. A second worker for the same user only where there is much to do
 * and nobody else waits. */
static struct job *next_turn(const struct java_converter *c)
{
    struct job *first = NULL, *spare = NULL, *second = NULL;
    list_each(&c->users, node)
    {
        struct user *u = list_entry(node, struct user, node);
        struct job *j = u->jobs ? next_job(u) : NULL;
        if (!j)
            continue;
        settle_credit(u);
        if (u->running && !second)
            second = j;
        else if (!u->running && u->credit_ns <= 0 && !spare)
            spare = j;
        else if (!u->running && u->credit_ns > 0 && !first)
            first = j;
    }
    if (first)
        return first;
    /* The store works here as well: who is out of time has one worker at most, and that only where nobody else has any. */
    if (spare)
        return c->running == 0 ? spare : NULL;
    const struct user *u = second ? second->stream->user : NULL;
    return u && c->jobs > BACKLOG_JOBS && (u->credit_ns > 0 || u->jobs == c->jobs) ? second : NULL;
}

static void unlink_job(struct java_converter *c, struct job *j)
{
    struct user *u = j->stream->user;
    list_del(&j->node);
    c->jobs--;
    c->bytes -= j->len;
    u->jobs--;
    u->bytes -= j->len;
    j->stream->waiting--;
}

static void converted(uv_work_t *work, int status)
{
    struct job *j = work->data;
    struct java_stream *s = j->stream;
    struct java_converter *c = s->converter;
    (void)status;
    c->running--;
    s->user->running--;
    s->user->credit_ns -= j->cpu_ns;
    s->busy = false;
    if (j->add_code < 0)
        metric_add(&jvm_chunks_total, 1, "refused");
    if (j->add_code < 0 || j->finish_code < 0)
        s->events.refused(s->arg, j->err.text);
    struct conversion_options seen = j->options;
    conversion_settings(j->conversion, &seen);
    options_copy(&s->options, s->event, &seen);
    tell_cuts(s, j->conversion, j->last);
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

/* One hour's series are forgotten when it is over. */
static void begin_hour(struct java_stream *s)
{
    const int64_t now = (int64_t)uv_hrtime();
    if (s->series_since_ns && now - s->series_since_ns < HOUR_NS)
        return;
    s->series_since_ns = now;
    u64map_done(&s->series);
}

static void start_job(struct java_converter *c, struct job *j)
{
    struct java_stream *s = j->stream;
    unlink_job(c, j);
    list_del(&s->user->node);
    list_push(&c->users, &s->user->node);
    begin_hour(s);
    s->busy = true;
    s->user->running++;
    c->running++;
    j->conversion = TAKE_PTR(s->conversion);
    options_copy(&j->options, j->event, &s->options);
    j->work.data = j;
    uv_queue_work(c->loop, &j->work, convert, converted);
}

/* One worker does, unless there is much to do, or a user has one for itself while another waits. */
static void dispatch(struct java_converter *c)
{
    while (c->running < WORKERS_MAX) {
        struct job *j = next_turn(c);
        if (!j)
            return;
        start_job(c, j);
    }
}

/* ---- what waits ---- */

/* The interval it ends still ends: its other chunks make a profile. */
static void give_up(struct java_converter *c, struct job *j)
{
    metric_add(&dropped_profiles_total, 1, "convert_queue");
    free(j->bytes);
    j->bytes = NULL;
    c->bytes -= j->len;
    j->stream->user->bytes -= j->len;
    j->len = 0;
    if (j->last)
        return;
    unlink_job(c, j);
    free(j);
}

static struct user *largest_user(const struct java_converter *c, bool *alone)
{
    struct user *most = NULL;
    size_t users = 0;
    list_each(&c->users, node)
    {
        struct user *u = list_entry(node, struct user, node);
        users += u->bytes > 0;
        if (u->bytes && (!most || u->bytes > most->bytes))
            most = u;
    }
    *alone = users <= 1;
    return most;
}

/* The user's oldest chunk goes. False where it has none to spare: the newest of a user alone may be larger than all room. */
static bool drop_oldest(struct java_converter *c, struct user *u, bool alone)
{
    list_each(&u->waiting, node)
    {
        struct job *j = list_entry(node, struct job, node);
        if (!j->bytes || (alone && node == u->waiting.prev))
            continue;
        give_up(c, j);
        return true;
    }
    return false;
}

static void make_room(struct java_converter *c)
{
    while (c->bytes > JAVA_CONVERT_BYTES || c->jobs > JAVA_CONVERT_JOBS) {
        bool alone;
        struct user *u = largest_user(c, &alone);
        if (!u || !drop_oldest(c, u, alone))
            return;
    }
}

struct java_converter *java_converter_new(uv_loop_t *loop)
{
    struct java_converter *c = xcalloc(1, sizeof *c);
    c->loop = loop;
    list_init(&c->users);
    return c;
}

void java_converter_free(struct java_converter *c)
{
    forget_users(c, true);
    free(c);
}

/* Found anew each time: whoever hears that a stream has ended may begin and end others. */
static struct job *any_waiting(const struct java_converter *c)
{
    list_each(&c->users, node)
    {
        struct user *u = list_entry(node, struct user, node);
        if (u->jobs)
            return list_entry(u->waiting.next, struct job, node);
    }
    return NULL;
}

void java_converter_hurry(struct java_converter *c)
{
    for (struct job *j; (j = any_waiting(c)) != NULL;) {
        struct java_stream *s = j->stream;
        if (j->bytes)
            metric_add(&dropped_profiles_total, 1, "convert_queue");
        unlink_job(c, j);
        free(j->bytes);
        free(j);
        maybe_ended(s);
    }
}

struct java_stream *java_stream_new(struct java_converter *c, uint64_t user, const struct conversion_options *options,
                                    const struct java_stream_events *events, void *arg)
{
    struct java_stream *s = xcalloc(1, sizeof *s);
    s->converter = c;
    s->user = user_of(c, user);
    s->user->streams++;
    s->events = *events;
    s->arg = arg;
    s->tick_worth = 1;
    options_copy(&s->options, s->event, options);
    s->options.limits = &conversion_limits_agent;
    s->options.series = &s->series;
    s->options.series_max = JAVA_CONVERT_SERIES;
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
    j->received_ns = clock_ns(CLOCK_REALTIME);
    j->last = last_of_interval;
    list_push(&s->user->waiting, &j->node);
    c->jobs++;
    c->bytes += j->len;
    s->user->jobs++;
    s->user->bytes += j->len;
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
