#include "components/pyroscope_java_convert.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/random.h>

#include "base/buf.h"
#include "base/cleanup.h"
#include "base/clock.h"
#include "base/list.h"
#include "base/log.h"
#include "base/map.h"
#include "base/mem.h"
#include "base/work.h"
#include "flow/dropped.h"
#include "jvm/session/intake.h"
#include "parser/parser_interval.h"
#include "parser/sandbox.h"

/* A second worker helps once this much waits. */
enum { BACKLOG_JOBS = 8, WORKERS_MAX = 2 };
/* Shorter pauses are those after a crash, which is logged by itself. */
enum { TELL_PAUSE_MS = 800 };

/* What the start of a parser process costs, about: charged to whose recording ended one. */
static const int64_t RESTART_NS = 20000000;

static const int64_t HOUR_NS = 3600 * NS_PER_SEC, CREDIT_NS = INT64_C(10000000) * JAVA_CONVERT_CPU * JAVA_CONVERT_CPU_S;

struct metric_family conversion_cut_total = {.name = "smolder_conversion_cut_total",
                                             .help = "Parts of recordings left out because of a limit, by reason.",
                                             .kind = METRIC_COUNTER,
                                             .labels = {"reason"}};
static struct metric_family parser_protection = {.name = "smolder_parser_protection",
                                                 .help = "1 where the protection of the parser process is in force.",
                                                 .kind = METRIC_GAUGE,
                                                 .labels = {"protection"}};

/* Whose JVMs wait for their turn. Lives as long as it has streams, and then until its credit is full again. */
struct user {
    struct list node; /* in the converter's, whose turn is longest ago first */
    uint64_t key;
    struct list waiting; /* struct convert_job, oldest first */
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
    uint64_t series_key[2];
    struct parser_pool *parsers;
    bool pause_told;   /* since a process was there last */
    uv_timer_t *pause; /* until it ends no parser can be had; NULL = none, freed by its own close */
};

struct java_stream {
    struct java_converter *converter;
    struct user *user;
    struct java_stream_events events;
    void *arg;
    struct parser_interval *interval; /* a worker's while busy */
    bool open;                        /* it has an interval */
    struct convert_options options;   /* with the settings that chunks told last */
    struct u64map series;             /* label sets of samples in this hour */
    int64_t series_since_ns;
    bool busy;      /* a worker has a job of ours */
    size_t waiting; /* jobs */
    /* Intervals, from the one being converted on, that lack a chunk, or may. */
    unsigned partial;
    bool ending;
};

struct convert_job {
    struct list node;
    uv_work_t work;
    struct java_stream *stream;
    size_t bytes; /* of its chunk, while it waits */
    bool kept;    /* the interval has that chunk by now */
    struct parser_step step;
};

static void converter_dispatch(struct java_converter *c);

static void job_run(uv_work_t *work)
{
    struct convert_job *j = work->data;
    parser_interval_run(j->stream->interval, &j->step);
}

static void job_free(struct convert_job *j)
{
    parser_step_done(&j->step);
    free(j);
}

static void stream_hand_out(struct java_stream *s, struct convert_answer *a)
{
    for (uint32_t i = 0; i < a->reply.profile_count; i++) {
        const struct convert_profile *meta = &a->profiles[i];
        struct encoded_profile *p = encoded_profile_new(TAKE_PTR(a->bytes[i]), meta->size, meta->samples,
                                                        meta->time_nanos, meta->duration_nanos);
        s->events.profile(s->arg, meta, p);
        encoded_profile_unref(p);
    }
}

/* What did not fit so far, for people, and at the end of the interval for metrics. */
static void stream_tell_cuts(struct java_stream *s, const uint64_t cuts[CUT_REASONS], bool last)
{
    char text[ERR_MAX] = "";
    for (size_t i = 0; i < CUT_REASONS; i++) {
        if (cuts[i] == 0)
            continue;
        const size_t n = strlen(text);
        if (last)
            metric_add(&conversion_cut_total, (double)cuts[i], cut_reasons[i].name);
        snprintf(text + n, sizeof text - n, "%s%llu %s",
                 n ? "; " : "recording truncated: ", (unsigned long long)cuts[i], cut_reasons[i].text);
    }
    if (last || *text)
        s->events.cut(s->arg, text);
}

/* Earns its share of a processor as time goes by, up to what it has when it is new. */
static void user_settle_credit(struct user *u)
{
    const int64_t now = clock_ns();
    const int64_t earned = (now - u->credited_ns) / 100 * JAVA_CONVERT_CPU;
    u->credit_ns = earned >= CREDIT_NS - u->credit_ns ? CREDIT_NS : u->credit_ns + earned;
    u->credited_ns = now;
}

/* Whoever comes back with a new process has used what it used. */
static void converter_forget_users(struct java_converter *c, bool all)
{
    list_each(&c->users, node)
    {
        struct user *u = list_entry(node, struct user, node);
        user_settle_credit(u);
        if (all || (u->streams == 0 && u->credit_ns == CREDIT_NS)) {
            list_del(&u->node);
            free(u);
        }
    }
}

static struct user *converter_user(struct java_converter *c, uint64_t key)
{
    converter_forget_users(c, false);
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
    u->credited_ns = clock_ns();
    list_push(&c->users, &u->node);
    return u;
}

void java_converter_charge(struct java_converter *c, uint64_t user, int64_t cpu_ns)
{
    struct user *u = converter_user(c, user);
    user_settle_credit(u);
    u->credit_ns -= cpu_ns;
}

static void java_stream_release(struct java_stream *s)
{
    s->user->streams--;
    parser_interval_free(s->interval);
    u64map_done(&s->series);
    free(s);
}

static void stream_maybe_ended(struct java_stream *s)
{
    if (!s->ending || s->busy || s->waiting > 0)
        return;
    void (*ended)(void *) = s->events.ended;
    void *arg = s->arg;
    java_stream_release(s);
    ended(arg);
}

/* ---- whose turn it is ---- */

/* The oldest job whose stream no worker is at; NULL. */
static struct convert_job *user_next_job(const struct user *u)
{
    list_each(&u->waiting, node)
    {
        struct convert_job *j = list_entry(node, struct convert_job, node);
        if (!j->stream->busy)
            return j;
    }
    return NULL;
}

/* Who has waited longest, of those within their budget if there are any. A second worker for the same user only where
 * there is much to do and nobody else waits. */
static struct convert_job *converter_next_turn(const struct java_converter *c)
{
    struct convert_job *first = NULL, *spare = NULL, *second = NULL;
    list_each(&c->users, node)
    {
        struct user *u = list_entry(node, struct user, node);
        struct convert_job *j = u->jobs ? user_next_job(u) : NULL;
        if (!j)
            continue;
        user_settle_credit(u);
        if (u->running && !second)
            second = j;
        else if (!u->running && u->credit_ns <= 0 && !spare)
            spare = j;
        else if (!u->running && u->credit_ns > 0 && !first)
            first = j;
    }
    if (first)
        return first;
    /* The store works here as well: who is out of time has one worker at most, and that only where nobody else has
     * any. */
    if (spare)
        return c->running == 0 ? spare : NULL;
    const struct user *u = second ? second->stream->user : NULL;
    return u && c->jobs > BACKLOG_JOBS && (u->credit_ns > 0 || u->jobs == c->jobs) ? second : NULL;
}

static void converter_unlink(struct java_converter *c, struct convert_job *j)
{
    struct user *u = j->stream->user;
    list_del(&j->node);
    c->jobs--;
    c->bytes -= j->bytes;
    u->jobs--;
    u->bytes -= j->bytes;
    j->stream->waiting--;
}

/* What the interval leaves for the next. */
static void stream_keep(struct java_stream *s, const struct convert_answer *a)
{
    s->options.settings = a->reply.settings;
    for (uint32_t i = 0; i < a->reply.series_count; i++)
        u64map_put(&s->series, a->series[i], 1);
}

static void converter_resume(uv_timer_t *t)
{
    struct java_converter *c = t->data;
    c->pause = NULL;
    uv_close((uv_handle_t *)t, (uv_close_cb)free);
    converter_dispatch(c);
}

/* Nothing is lost: the job waits where it was, and with it all others. */
static void converter_pause(struct java_converter *c, struct convert_job *j)
{
    struct java_stream *s = j->stream;
    struct user *u = s->user;
    j->kept |= j->bytes > 0;
    j->bytes = 0;
    list_push(u->waiting.next, &j->node);
    c->jobs++;
    u->jobs++;
    s->waiting++;
    if (c->pause)
        return;
    if (j->step.retry_ms >= TELL_PAUSE_MS && !c->pause_told) {
        c->pause_told = true;
        log_error("no parser process can be had; recordings wait", L_STR("err", j->step.ending));
    }
    c->pause = xcalloc(1, sizeof *c->pause);
    uv_timer_init(c->loop, c->pause);
    c->pause->data = c;
    uv_timer_start(c->pause, converter_resume, (uint64_t)j->step.retry_ms, 0);
}

/* Once, when the first process has been started; the gauge says it at any time. */
static void converter_tell_protection(struct java_converter *c)
{
    static bool told;
    uint32_t layers;
    cleanup_buf struct buf missing = BUF_INIT(ERR_MAX);
    if (told || !parser_pool_layers(c->parsers, &layers))
        return;
    told = true;
    for (size_t i = 0; i < SANDBOX_LAYERS; i++) {
        const bool in_force = layers >> i & 1;
        metric_set(&parser_protection, in_force, sandbox_layer_names[i]);
        if (in_force)
            continue;
        buf_puts(&missing, missing.len ? ", " : "");
        buf_puts(&missing, sandbox_layer_names[i]);
    }
    if (!(layers >> SANDBOX_SECCOMP & layers >> SANDBOX_RIGHTS & 1))
        log_warn("the parser process is not confined by the kernel's system call filter",
                 L_STR("missing", buf_cstr(&missing)));
    else if (missing.len)
        log_info("the parser process runs without some of its protections", L_STR("missing", buf_cstr(&missing)));
}

/* Processes that a recording of this stream ended, and what was set aside for that. */
static void stream_tell_endings(struct java_stream *s, const struct parser_step *step)
{
    const unsigned n = parser_endings_count(step->endings);
    s->user->credit_ns -= n * RESTART_NS;
    if (step->set_aside)
        metric_add(&jvm_chunks_total, step->set_aside, "set_aside");
    if ((n || step->set_aside) && s->events.parser_ended)
        s->events.parser_ended(s->arg, step->ending, step->set_aside);
}

/* -ECANCELED: it was set aside, and counted as such. */
static void stream_tell_refused(struct java_stream *s, const struct parser_step *step)
{
    if (step->chunk_code < 0 && step->chunk_code != -ECANCELED)
        metric_add(&jvm_chunks_total, 1, "refused");
    if (step->finish_code < 0)
        metric_add(&dropped_profiles_total, 1, "conversion");
    if (step->chunk_code < 0 || step->finish_code < 0)
        s->events.refused(s->arg, step->why);
}

static void job_done(uv_work_t *work, int status)
{
    struct convert_job *j = work->data;
    struct java_stream *s = j->stream;
    struct java_converter *c = s->converter;
    struct parser_step *step = &j->step;
    (void)status;
    c->running--;
    s->user->running--;
    s->user->credit_ns -= step->cpu_ns;
    if (s->events.used)
        s->events.used(s->arg, step->cpu_ns);
    step->cpu_ns = 0;
    s->busy = false;
    s->open = step->is_open;
    converter_tell_protection(c);
    if (step->retry_ms) {
        converter_pause(c, j);
        return;
    }
    c->pause_told = false;
    stream_tell_endings(s, step);
    stream_tell_refused(s, step);
    if (step->answered)
        stream_keep(s, &step->answer);
    stream_tell_cuts(s, step->answer.reply.cuts, step->finish);
    stream_hand_out(s, &step->answer);
    if (step->chunk_code < 0 || step->finish_code < 0)
        s->partial = s->partial ? s->partial : 1;
    if (step->finish) {
        if (s->events.finished)
            s->events.finished(s->arg, s->partial == 0);
        s->partial -= s->partial > 0;
    }
    job_free(j);
    stream_maybe_ended(s);
    converter_dispatch(c);
}

/* One hour's series are forgotten when it is over. */
static void stream_begin_hour(struct java_stream *s)
{
    const int64_t now = clock_ns();
    if (s->series_since_ns && now - s->series_since_ns < HOUR_NS)
        return;
    s->series_since_ns = now;
    u64map_done(&s->series);
}

/* Of a new interval. */
static void stream_open(struct java_stream *s, struct parser_step *step)
{
    stream_begin_hour(s);
    step->open = true;
    step->series = xcalloc(s->series.len + 1, sizeof *step->series);
    step->series_count = u64map_keys(&s->series, 1, step->series);
}

static void converter_start(struct java_converter *c, struct convert_job *j)
{
    struct java_stream *s = j->stream;
    converter_unlink(c, j);
    list_del(&s->user->node);
    list_push(&c->users, &s->user->node);
    s->busy = true;
    s->user->running++;
    c->running++;
    j->step.options = s->options;
    if (!s->open)
        stream_open(s, &j->step);
    j->work.data = j;
    work_queue(c->loop, &j->work, job_run, job_done);
}

/* One worker does, unless there is much to do, or a user has one for itself while another waits. */
static void converter_dispatch(struct java_converter *c)
{
    while (c->running < WORKERS_MAX && !c->pause) {
        struct convert_job *j = converter_next_turn(c);
        if (!j)
            return;
        converter_start(c, j);
    }
}

/* ---- what waits ---- */

static void stream_lost(struct java_stream *s, const char *why)
{
    metric_add(&dropped_profiles_total, 1, "convert_queue");
    if (s->events.lost)
        s->events.lost(s->arg, why);
}

/* The interval it ends still ends: its other chunks make a profile. */
static void converter_give_up(struct java_converter *c, struct convert_job *j)
{
    stream_lost(j->stream, "too much waits for conversion");
    jfr_chunk_unref(TAKE_PTR(j->step.chunk));
    j->stream->partial = 2; /* the interval being converted, or the next */
    c->bytes -= j->bytes;
    j->stream->user->bytes -= j->bytes;
    j->bytes = 0;
    if (j->step.finish)
        return;
    converter_unlink(c, j);
    job_free(j);
}

static struct user *converter_largest_user(const struct java_converter *c, bool *alone)
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

/* The user's oldest chunk goes. False where it has none to spare: the newest of a user alone may be larger than all
 * room. */
static bool user_drop_oldest(struct java_converter *c, struct user *u, bool alone)
{
    list_each(&u->waiting, node)
    {
        struct convert_job *j = list_entry(node, struct convert_job, node);
        if (!j->bytes || (alone && node == u->waiting.prev))
            continue;
        converter_give_up(c, j);
        return true;
    }
    return false;
}

static void converter_make_room(struct java_converter *c)
{
    while (c->bytes > JAVA_CONVERT_BYTES || c->jobs > JAVA_CONVERT_JOBS) {
        bool alone;
        struct user *u = converter_largest_user(c, &alone);
        if (!u || !user_drop_oldest(c, u, alone))
            return;
    }
}

struct java_converter *java_converter_new(uv_loop_t *loop, struct parser_pool *parsers)
{
    struct java_converter *c = xcalloc(1, sizeof *c);
    c->loop = loop;
    c->parsers = parsers;
    list_init(&c->users);
    (void)!getrandom(c->series_key, sizeof c->series_key,
                     GRND_NONBLOCK); /* without it series may be made to collide, and that is all */
    return c;
}

void java_converter_free(struct java_converter *c)
{
    converter_forget_users(c, true);
    if (c->pause)
        uv_close((uv_handle_t *)c->pause, (uv_close_cb)free);
    free(c);
}

/* Found anew each time: whoever hears that a stream has ended may begin and end others. */
static struct convert_job *converter_any_waiting(const struct java_converter *c)
{
    list_each(&c->users, node)
    {
        struct user *u = list_entry(node, struct user, node);
        if (u->jobs)
            return list_entry(u->waiting.next, struct convert_job, node);
    }
    return NULL;
}

void java_converter_hurry(struct java_converter *c)
{
    for (struct convert_job *j; (j = converter_any_waiting(c)) != NULL;) {
        struct java_stream *s = j->stream;
        if (j->bytes || j->kept)
            stream_lost(s, "the agent stops before it was converted");
        converter_unlink(c, j);
        job_free(j);
        stream_maybe_ended(s);
    }
}

struct java_stream *java_stream_new(struct java_converter *c, uint64_t user, const struct convert_options *options,
                                    const struct java_stream_events *events, void *arg)
{
    struct java_stream *s = xcalloc(1, sizeof *s);
    s->converter = c;
    s->user = converter_user(c, user);
    s->user->streams++;
    s->events = *events;
    s->arg = arg;
    s->interval = parser_interval_new(c->parsers);
    s->options = *options;
    s->options.limits = conversion_limits_agent;
    memcpy(s->options.series_key, c->series_key, sizeof s->options.series_key);
    s->options.series_max = JAVA_CONVERT_SERIES;
    return s;
}

void java_stream_options(struct java_stream *s, const struct convert_options *options)
{
    s->options.per_thread = options->per_thread;
    memcpy(s->options.filter, options->filter, sizeof s->options.filter);
}

const struct convert_options *java_stream_conversion(const struct java_stream *s)
{
    return &s->options;
}

void java_stream_chunk(struct java_stream *s, struct jfr_chunk *chunk)
{
    struct java_converter *c = s->converter;
    struct convert_job *j = xcalloc(1, sizeof *j);
    j->stream = s;
    j->step.chunk = jfr_chunk_ref(chunk);
    j->step.received_ns = clock_wall_ns();
    j->step.finish = chunk->last_of_interval;
    j->bytes = chunk->bytes ? chunk->len : 0;
    list_push(&s->user->waiting, &j->node);
    c->jobs++;
    c->bytes += j->bytes;
    s->user->jobs++;
    s->user->bytes += j->bytes;
    s->waiting++;
    converter_make_room(c);
    converter_dispatch(c);
}

void java_stream_end(struct java_stream *s)
{
    s->ending = true;
    if (!s->open && !s->busy && s->waiting == 0) {
        stream_maybe_ended(s); /* most processes that are no JVMs get here: nothing is open, so no worker is needed */
        return;
    }
    struct jfr_chunk *end = jfr_chunk_new(NULL, 0);
    end->last_of_interval = true;
    java_stream_chunk(s, end);
    jfr_chunk_unref(end);
}
