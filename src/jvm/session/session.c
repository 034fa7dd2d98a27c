#include "jvm/session/session.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "base/mem.h"
#include "jvm/operation/client.h"
#include "jvm/operation/ending.h"
#include "jvm/session/aftercare.h"
#include "jvm/session/budget.h"
#include "jvm/session/intake.h"
#include "jvm/session/itimer_scale.h"
#include "jvm/session/retry.h"
#include "jvm/session/session_config.h"
#include "os/pidref.h"

static const int64_t TICK_NS = 1100000000; /* of the profiler, and what it is late */

/* The least `chunktime` of async-profiler, and the most we let it wait. */
enum { CHUNK_MIN_S = 5, CHUNK_MAX_S = 60 };
/* Polling the recording: just after a chunk should have closed, again while it has not, and otherwise (a chunk closes
 * early when it reaches chunksize). */
enum { POLL_AFTER_MS = 50, POLL_NEAR_MS = 500, POLL_FAR_MS = 5000, POLL_OVERDUE_MS = 1000 };
/* Nearly the chunksize: the next one may close early, too. */
enum { LARGE_CHUNK = 2 << 20 };
/* How often a session that waits for descriptors asks for them. */
enum { BUDGET_WAIT_S = 5 };
/* timeout= goes this far beyond the roll-over. */
enum { DEAD_MAN_S = 60 };
/* Roll over early at this much call-trace storage, below memlimit: beyond that the profiler forgets new stacks. Asking
 * costs an attach, and every stack stored is in some chunk, with four bytes or more for a frame that takes sixteen in
 * memory (vmEntry.h): with so few bytes read, the storage cannot be near the limit. */
enum { TRACE_KB_MAX = 48 << 10, METRICS_PER_ROLL = 4, METRICS_BYTES = 4 << 20 };
enum work { WORK_NONE, WORK_START, WORK_ROLL, WORK_DUMP, WORK_STOP, WORK_METRICS };

struct jvm_session {
    uv_loop_t *loop;
    struct priv *priv;
    struct jvm_id id;
    struct jvm_session_config config; /* own copies of the strings */
    struct jvm_session_events events;
    void *arg;

    struct pidref process;
    uv_poll_t exit;
    uv_timer_t timer;
    unsigned handles; /* still open */

    enum jvm_state state;
    char reason[ERR_MAX];
    enum work work; /* the operation under way; one at a time */
    uint64_t call;
    uint64_t ending_call; /* the helper is asked how the process ended; 0 = it is not */
    bool watched;         /* it has its share of descriptors (jvm/session/budget.h), and its process is watched */
    bool gone, finished;
    bool may_run;     /* the profiler may be running by our doing */
    bool roll_wanted; /* because of memory */
    /* Which settings are in force: counted up by updates, and as of the running session and the operation under way. */
    unsigned wanted, running, sent;
    int64_t close_by; /* 0: not closing */

    uint64_t user;
    struct intake intake;
    bool halt; /* what it writes is no use: it is to be stopped before it is tried again */

    struct aftercare care;
    struct degraded degraded; /* of the settings `sent` */
    struct jvm_retry retries;

    struct itimer_scale scale;
    int64_t began;       /* the profiler's session */
    uint64_t roll_bytes; /* read from it */
    int64_t chunk_began; /* the chunk being written, as we saw it */
    int64_t chunk_due;   /* when it should have closed */
    bool small_chunks;   /* the last one was far from chunksize, so the next one will hardly close early */
    int64_t poll_at;     /* when the recording is worth a poll */
    int64_t dump_at, metrics_at, retry_at, roll_not_before;
};

static struct metric_family sessions = {
    .name = "smolder_sessions", .help = "Profiling sessions, by state.", .kind = METRIC_GAUGE, .labels = {"state"}};
static const double attach_buckets[] = {0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10};
static struct metric_family attach_seconds = {.name = "smolder_attach_seconds",
                                              .help = "Time to start a profiler in a JVM.",
                                              .kind = METRIC_HISTOGRAM,
                                              .buckets = attach_buckets,
                                              .bucket_count = ARRAY_LEN(attach_buckets)};
static const double gap_buckets[] = {0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.5, 1, 5};
static struct metric_family gap_seconds = {.name = "smolder_gap_seconds",
                                           .help = "Upper bound of the time without sampling at a roll-over.",
                                           .kind = METRIC_HISTOGRAM,
                                           .buckets = gap_buckets,
                                           .bucket_count = ARRAY_LEN(gap_buckets)};

static void session_drive(struct jvm_session *s);
static void session_schedule(struct jvm_session *s);

const char *jvm_state_name(enum jvm_state s)
{
    static const char *const names[] = {"waiting", "starting", "profiling", "stopping", "gone"};
    return names[s];
}

static void session_set_state(struct jvm_session *s, enum jvm_state state, const char *reason)
{
    if (s->state == state && strcmp(s->reason, reason) == 0)
        return;
    metric_add(&sessions, -1, jvm_state_name(s->state));
    metric_add(&sessions, 1, jvm_state_name(state));
    s->state = state;
    if (reason != s->reason) /* snprintf onto itself would empty it */
        snprintf(s->reason, sizeof s->reason, "%s", reason);
    s->events.state(s->arg, state, s->reason);
}

/* ---- settings ---- */

static bool by_dump(const struct jvm_session *s)
{
    return s->config.interval_ns < CHUNK_MIN_S * NS_PER_SEC;
}

/* Whole seconds per chunk: the interval, or an even part of it. Also how long a cut by `dump` may take. */
static int64_t chunk_s(const struct jvm_session *s)
{
    int64_t interval_s = (s->config.interval_ns + NS_PER_SEC - 1) / NS_PER_SEC;
    int64_t parts = (interval_s + CHUNK_MAX_S - 1) / CHUNK_MAX_S;
    return (interval_s + parts - 1) / parts;
}

/* All that `start` gets besides what the operation adds. The user's come last: the last one of a name wins. */
static char *start_options(const struct jvm_session *s)
{
    char *chunktime = by_dump(s) ? xstrdup("") : xasprintf("chunktime=%lld,", (long long)chunk_s(s));
    long long timeout = s->config.roll_ns / NS_PER_SEC + 2 * chunk_s(s) + DEAD_MAN_S;
    char *all = xasprintf("%schunksize=4m,timeout=%lld,memlimit=64m,%s", chunktime, timeout, s->config.events);
    free(chunktime);
    return all;
}

/* ---- recordings ---- */

static void session_enter_waiting(struct jvm_session *s, const char *reason, int64_t retry_ns);
static int64_t retry_after(struct jvm_session *s, enum jvm_outcome outcome);

/* The next chunk began when this one ended, a moment ago by the wall clock, and takes as long: the profiler closes
 * chunks on its tick of a second, mostly the one after the time is up. One that was cut early, or a clock that jumped,
 * makes the guess a bad one: then polls come every POLL_NEAR_MS, or POLL_FAR_MS is soon enough. */
static int64_t due_after(const struct jvm_session *s, const struct jfr_chunk *c)
{
    const int64_t since = clock_wall_ns() - c->end_ns, took = c->end_ns - c->start_ns;
    const int64_t least = chunk_s(s) * NS_PER_SEC, length = took > least && took < least + TICK_NS ? took : least;
    return clock_ns() + length - (since > 0 && since < length ? since : 0) + POLL_AFTER_MS * NS_PER_MS;
}

static int64_t min_ns(int64_t a, int64_t b)
{
    return a < b ? a : b;
}

/* When the recording is worth a poll. */
static int64_t session_next_poll(const struct jvm_session *s, int64_t now)
{
    if (by_dump(s))
        return now + POLL_FAR_MS * NS_PER_MS;
    if (now < s->chunk_due)
        return s->small_chunks ? s->chunk_due : min_ns(s->chunk_due, now + POLL_FAR_MS * NS_PER_MS);
    return now + (now < s->chunk_due + 3 * NS_PER_SEC ? POLL_NEAR_MS : POLL_OVERDUE_MS) * NS_PER_MS;
}

static void on_live_chunk(void *arg, const struct jfr_chunk *c)
{
    struct jvm_session *s = arg;
    s->chunk_began = clock_ns();
    s->chunk_due = due_after(s, c);
    s->small_chunks = c->len < LARGE_CHUNK;
    s->roll_bytes += c->len;
    s->retries.failures = 0;
    s->poll_at = session_next_poll(s, s->chunk_began);
    if (s->state == JVM_STATE_PROFILING)
        session_set_state(s, s->state, s->degraded.why);
}

static void session_on_chunk(void *arg, struct jfr_chunk *c)
{
    struct jvm_session *s = arg;
    if (c->bytes && !s->gone) /* or its pid may be another's */
        (void)itimer_scale_measure(&s->scale, s->id.pid);
    c->itimer_scale = s->scale.value;
    s->events.chunk(s->arg, c);
}

static void on_damaged(void *arg, const char *why)
{
    struct jvm_session *s = arg;
    if (s->state != JVM_STATE_PROFILING || s->gone)
        return;
    s->halt = true;
    session_enter_waiting(s, why, retry_after(s, JVM_FAILED));
}

static void on_step(void *arg)
{
    session_drive(arg);
}

static const struct intake_events intake_events = {session_on_chunk, on_live_chunk, on_damaged, on_step};

/* ---- operations ---- */

static struct jvm_request session_request_of(const struct jvm_session *s, const char *options)
{
    const bool judged = s->config.quarantine && !s->config.retry_crashed;
    return (struct jvm_request){.id = s->id,
                                .user = s->user,
                                .tmp_dir = s->config.tmp_dir,
                                .dist = s->config.dist,
                                .options = options,
                                .untested = s->config.untested,
                                .headroom = s->config.headroom,
                                .condemned = judged ? quarantine_keys(s->config.quarantine) : NULL,
                                .degraded = &s->degraded};
}

static void session_start_operation(struct jvm_session *s, enum work work,
                                    uint64_t (*op)(struct priv *, const struct jvm_request *, jvm_done *, void *),
                                    jvm_done *done)
{
    const bool attach = work == WORK_START || work == WORK_ROLL;
    if (attach && s->sent != s->wanted)
        s->degraded = (struct degraded){0}; /* other events may be welcome */
    cleanup_free char *options = start_options(s);
    struct jvm_request r = session_request_of(s, options);
    s->work = work;
    if (attach)
        aftercare_begin(&s->care, &s->process, clock_ns());
    /* Should ours still run, for all we know not to, it is found and taken over like an earlier agent's. */
    if (work == WORK_START)
        intake_release(&s->intake);
    if (attach)
        s->sent = s->wanted;
    s->call = op(s->priv, &r, done, s);
}

static void forget_call(struct jvm_session *s)
{
    if (s->work != WORK_NONE)
        priv_forget(s->priv, s->call);
    s->work = WORK_NONE;
}

/* Not profiling (any more): says why, and looks again after `retry_ns`. */
static void session_enter_waiting(struct jvm_session *s, const char *reason, int64_t retry_ns)
{
    s->retry_at = clock_ns() + retry_ns;
    session_set_state(s, s->close_by ? JVM_STATE_STOPPING : JVM_STATE_WAITING, reason);
}

static int64_t retry_after(struct jvm_session *s, enum jvm_outcome outcome)
{
    return jvm_retry_after(&s->retries, outcome, s->config.interval_ns, jvm_age_ns(s->id.start_time));
}

static void session_process_gone(struct jvm_session *s);

/* A condemned make-up is not attached to. False when it is none (any more). */
static bool wait_for_pardon(struct jvm_session *s)
{
    char why[ERR_MAX];
    if (!s->config.quarantine || s->config.retry_crashed ||
        !quarantine_reason(s->config.quarantine, s->care.makeup.key, why, sizeof why))
        return false;
    session_enter_waiting(s, why, JVM_CONDEMNED_POLL_S * NS_PER_SEC);
    return true;
}

/* What a start or roll-over told besides its outcome. */
static void session_learn(struct jvm_session *s, const struct jvm_reply *r)
{
    aftercare_keep_socket(&s->care, r->socket_fd);
    if (s->care.since_ns && !s->care.ended_ns)
        s->care.since_ns = clock_ns();
    if (r->makeup.key[0])
        s->care.makeup = r->makeup;
    if (r->outcome != JVM_OK && r->outcome != JVM_TIMEOUT && r->attach_ns == 0)
        aftercare_drop(&s->care); /* nothing was attached to */
    if (r->outcome == JVM_OK) {
        s->degraded = r->degraded;
        s->retries.no_rooms = 0;
    }
    if (r->note[0] && s->events.note)
        s->events.note(s->arg, r->note);
}

static void session_operation_failed(struct jvm_session *s, const struct jvm_reply *r)
{
    if (r->outcome == JVM_GONE) {
        session_process_gone(s);
        return;
    }
    /* A roll-over was put off: the session that runs does so until its timeout. */
    if (r->outcome == JVM_NO_ROOM && s->state == JVM_STATE_PROFILING && !s->gone) {
        s->roll_wanted = false;
        s->roll_not_before = clock_ns() + retry_after(s, r->outcome);
        session_set_state(s, s->state, r->reason);
        return;
    }
    s->may_run = s->may_run || r->outcome == JVM_TIMEOUT || r->outcome == JVM_LOST;
    if (r->outcome == JVM_CONDEMNED && wait_for_pardon(s))
        return;
    session_enter_waiting(s, r->reason[0] ? r->reason : jvm_outcome_name(r->outcome), retry_after(s, r->outcome));
}

static void session_profiler_started(struct jvm_session *s, const struct jvm_reply *r)
{
    const bool other = s->sent != s->running;
    if (r->previous_fd >= 0)
        intake_adopt(&s->intake, r->previous_fd);
    intake_add(&s->intake, r->output_fd, other);
    const int64_t now = clock_ns();
    itimer_scale_begin(&s->scale, s->id.pid);
    s->began = s->chunk_began = now;
    s->chunk_due = now + chunk_s(s) * NS_PER_SEC + POLL_AFTER_MS * NS_PER_MS;
    s->dump_at = now + intake_target_ns(&s->intake);
    s->metrics_at = now + s->config.roll_ns / METRICS_PER_ROLL;
    s->poll_at = session_next_poll(s, now);
    s->roll_bytes = 0;
    s->roll_wanted = false;
    s->running = s->sent;
    s->may_run = true;
    if (!s->close_by)
        session_set_state(s, JVM_STATE_PROFILING, s->degraded.why);
    if (s->gone)
        intake_end(&s->intake);
}

static void session_on_started(void *arg, const struct jvm_reply *r)
{
    struct jvm_session *s = arg;
    s->work = WORK_NONE;
    session_learn(s, r);
    if (r->outcome == JVM_OK && r->output_fd >= 0) {
        metric_observe(&attach_seconds, (double)r->attach_ns / 1e9);
        session_profiler_started(s, r);
    } else {
        if (r->previous_fd >= 0)
            intake_adopt(&s->intake, r->previous_fd);
        session_operation_failed(s, r);
    }
    session_drive(s);
}

static void session_on_rolled(void *arg, const struct jvm_reply *r)
{
    struct jvm_session *s = arg;
    s->work = WORK_NONE;
    session_learn(s, r);
    if (r->outcome == JVM_OK && r->output_fd >= 0) {
        metric_observe(&gap_seconds, (double)r->gap_ns / 1e9);
        session_profiler_started(s, r);
    } else {
        session_operation_failed(s, r);
    }
    session_drive(s);
}

static void on_dumped(void *arg, const struct jvm_reply *r)
{
    struct jvm_session *s = arg;
    s->work = WORK_NONE;
    const int64_t now = clock_ns();
    if (r->outcome == JVM_GONE) {
        session_process_gone(s);
    } else if (r->outcome != JVM_OK && r->outcome != JVM_TIMEOUT && r->outcome != JVM_FAILED &&
               r->outcome != JVM_LOST) {
        session_operation_failed(s, r); /* it does not run, or is not ours any more: start it anew */
    } else {
        /* From its due time, so that lateness does not add up; not in a burst after a pause. */
        s->dump_at += s->config.interval_ns;
        if (s->dump_at < now)
            s->dump_at = now + s->config.interval_ns;
        if (r->outcome == JVM_OK)
            s->poll_at = now;
        if (s->state == JVM_STATE_PROFILING) /* or what it wrote turned out to be damaged */
            session_set_state(s, JVM_STATE_PROFILING, r->outcome == JVM_OK ? s->degraded.why : r->reason);
    }
    session_drive(s);
}

static void on_metrics(void *arg, const struct jvm_reply *r)
{
    static const char KEY[] = "mem_calltracestorage_kb";
    struct jvm_session *s = arg;
    s->work = WORK_NONE;
    if (r->outcome == JVM_GONE)
        session_process_gone(s);
    const char *at = r->outcome == JVM_OK ? strstr(r->text, KEY) : NULL;
    if (at && strtol(at + strcspn(at, "0123456789\n"), NULL, 10) > TRACE_KB_MAX)
        s->roll_wanted = true;
    session_drive(s);
}

static void session_on_stopped(void *arg, const struct jvm_reply *r)
{
    struct jvm_session *s = arg;
    (void)r; /* whatever it was, the session is over; an unfinished chunk is counted as such */
    s->work = WORK_NONE;
    s->may_run = s->halt = false;
    intake_end(&s->intake);
    session_drive(s);
}

/* ---- the end ---- */

static void session_on_handle_closed(uv_handle_t *h)
{
    struct jvm_session *s = h->data;
    if (--s->handles > 0)
        return;
    struct jvm_session_events events = s->events;
    void *arg = s->arg;
    metric_add(&sessions, -1, jvm_state_name(s->state));
    pidref_done(&s->process);
    if (s->watched)
        jvm_budget_give(s->user, BUDGET_SESSION_FDS);
    session_config_done(&s->config);
    free(s);
    events.closed(arg);
}

static void say_how_it_ended(struct jvm_session *s)
{
    char how[QUARANTINE_WHY_MAX];
    const bool condemned = aftercare_judge(&s->care, s->config.quarantine, how, sizeof how);
    cleanup_free char *text = xasprintf("the process ended%s%s", how[0] ? ": " : "", how);
    session_set_state(s, JVM_STATE_GONE, text);
    if (condemned && s->events.condemned)
        s->events.condemned(s->arg, &s->care.makeup, how);
}

static void session_finish(struct jvm_session *s)
{
    if (s->finished)
        return;
    s->finished = true;
    forget_call(s);
    if (s->ending_call)
        priv_forget(s->priv, s->ending_call);
    intake_close(&s->intake);
    if (s->gone)
        say_how_it_ended(s);
    aftercare_done(&s->care);
    uv_close((uv_handle_t *)&s->timer, session_on_handle_closed);
    if (s->handles > 1)
        uv_close((uv_handle_t *)&s->exit, session_on_handle_closed);
}

/* What it wrote before it ended is complete; it is read in turns, then the session finishes. */
static void session_process_gone(struct jvm_session *s)
{
    if (s->gone)
        return;
    s->gone = s->intake.hurry = true;
    s->may_run = false;
    aftercare_ended(&s->care, &s->process, clock_ns());
    /* An attach under way notices by itself, and says whose make-up it was. */
    if (s->work != WORK_START && s->work != WORK_ROLL)
        forget_call(s);
    intake_end(&s->intake);
}

static void session_on_ending(void *arg, bool known, int status)
{
    struct jvm_session *s = arg;
    s->ending_call = 0;
    if (known)
        aftercare_told(&s->care, status);
    session_process_gone(s);
    session_drive(s);
}

static void on_exit_seen(uv_poll_t *h, int status, int events)
{
    struct jvm_session *s = h->data;
    (void)events;
    uv_poll_stop(h);
    if (!s->gone && s->care.since_ns && !aftercare_status(&s->process, &status)) {
        s->ending_call = jvm_ending(s->priv, s->user, s->id, session_on_ending, s);
        return;
    }
    session_process_gone(s);
    session_drive(s);
}

/* ---- the clock ---- */

static bool roll_due(const struct jvm_session *s, int64_t now)
{
    if (s->roll_wanted || s->running != s->wanted)
        return true;
    const int64_t since = now - s->began;
    /* Right after a chunk closed, so that little is left for the old recording's last one; without waiting for ever. */
    return since >= s->config.roll_ns && now >= s->roll_not_before &&
           (now - s->chunk_began < NS_PER_SEC / 4 || since >= s->config.roll_ns + (chunk_s(s) + 5) * NS_PER_SEC);
}

static bool needs_dump(const struct jvm_session *s)
{
    return by_dump(s) || (!s->intake.first_cut && s->config.first_ns < s->config.interval_ns);
}

static int64_t overdue_ns(const struct jvm_session *s)
{
    int64_t patience = s->config.interval_ns / 2 > 10 * NS_PER_SEC ? s->config.interval_ns / 2 : 10 * NS_PER_SEC;
    return s->chunk_began + chunk_s(s) * NS_PER_SEC + patience;
}

/* Then it waits until it is not. */
static bool too_young(struct jvm_session *s)
{
    const int64_t left = s->config.min_age_ns - jvm_age_ns(s->id.start_time);
    if (left <= 0)
        return false;
    cleanup_free char *why = xasprintf("waiting until it is %.3g s old (min_age)", (double)s->config.min_age_ns / 1e9);
    session_enter_waiting(s, why, left);
    return true;
}

/* A process that is already gone is noticed in the first turn. */
static bool watch_process(struct jvm_session *s)
{
    struct err err = {0};
    if (s->watched || s->gone)
        return true;
    if (jvm_budget_take(s->user, BUDGET_SESSION_FDS, &err) < 0) {
        session_enter_waiting(s, err.text, BUDGET_WAIT_S * NS_PER_SEC);
        return false;
    }
    s->watched = true;
    if (pidref_open(s->id.pid, s->id.start_time, &s->process, NULL) < 0) {
        session_process_gone(s);
        return true;
    }
    if (uv_poll_init(s->loop, &s->exit, s->process.fd) < 0)
        return true; /* operations will say JVM_GONE */
    s->exit.data = s;
    s->handles++;
    uv_poll_start(&s->exit, UV_READABLE, on_exit_seen);
    return true;
}

static void next_work(struct jvm_session *s, int64_t now)
{
    if (s->state == JVM_STATE_WAITING) {
        if (now >= s->retry_at && watch_process(s) && !s->gone && !too_young(s) && !wait_for_pardon(s)) {
            session_set_state(s, JVM_STATE_STARTING, s->reason);
            session_start_operation(s, WORK_START, jvm_start, session_on_started);
        }
        return;
    }
    if (now >= overdue_ns(s)) {
        session_enter_waiting(
            s, "no data although the profiler should run: the JVM is suspended, or the profiler was stopped", 0);
        session_set_state(s, JVM_STATE_STARTING, s->reason);
        session_start_operation(s, WORK_START, jvm_start, session_on_started);
    } else if (roll_due(s, now)) {
        session_start_operation(s, WORK_ROLL, jvm_roll, session_on_rolled);
    } else if (needs_dump(s) && now >= s->dump_at) {
        session_start_operation(s, WORK_DUMP, jvm_dump, on_dumped);
    } else if (now >= s->metrics_at) {
        s->metrics_at = now + s->config.roll_ns / METRICS_PER_ROLL;
        if (s->roll_bytes >= METRICS_BYTES)
            session_start_operation(s, WORK_METRICS, jvm_metrics, on_metrics);
    }
}

static void session_drive(struct jvm_session *s)
{
    if (s->finished)
        return;
    const int64_t now = clock_ns();
    const bool due = now >= s->poll_at, more = intake_poll(&s->intake, due);
    if (due)
        s->poll_at = session_next_poll(s, now);
    if (s->work != WORK_START && s->work != WORK_ROLL)
        aftercare_poll(&s->care, s->config.quarantine, now);
    const bool over =
        (s->gone && s->work == WORK_NONE && !s->ending_call) || (s->close_by && s->work == WORK_NONE && !s->may_run);
    if ((over && !more) || (s->close_by && now >= s->close_by)) {
        session_finish(s);
        return;
    }
    if (s->work == WORK_NONE && !s->gone) {
        if ((s->close_by || s->halt) && s->may_run)
            session_start_operation(s, WORK_STOP, jvm_stop, session_on_stopped);
        else if (!s->close_by)
            next_work(s, now);
    }
    session_schedule(s);
}

static void session_on_timer(uv_timer_t *t)
{
    session_drive(t->data);
}

static void session_schedule(struct jvm_session *s)
{
    const int64_t now = clock_ns();
    const bool profiling = s->state == JVM_STATE_PROFILING;
    int64_t at = profiling ? s->poll_at : now + POLL_FAR_MS * NS_PER_MS;
    const int64_t put_off = intake_delay_ns(&s->intake);
    if (put_off)
        at = min_ns(at, now + put_off);
    if (s->close_by)
        at = min_ns(at, s->close_by);
    if (s->work == WORK_NONE && s->state == JVM_STATE_WAITING)
        at = min_ns(at, s->retry_at);
    if (s->work == WORK_NONE && s->care.since_ns && !s->gone)
        at = min_ns(at, s->care.since_ns + AFTERCARE_S * NS_PER_SEC);
    if (profiling && s->work == WORK_NONE && needs_dump(s))
        at = min_ns(at, s->dump_at);
    int64_t ms = at <= now ? 0 : (at - now + NS_PER_MS - 1) / NS_PER_MS;
    uv_timer_start(&s->timer, session_on_timer, (uint64_t)ms, 0);
}

/* ---- what others call ---- */

static void set_intervals(struct jvm_session *s)
{
    s->intake.interval_ns = s->config.interval_ns;
    s->intake.first_ns = s->config.first_ns;
    s->intake.roll_ns = s->config.roll_ns;
}

struct jvm_session *jvm_session_open(uv_loop_t *loop, struct priv *priv, struct jvm_id id,
                                     const struct jvm_session_config *config, const struct jvm_session_events *events,
                                     void *arg)
{
    struct jvm_session *s = xcalloc(1, sizeof *s);
    s->loop = loop;
    s->priv = priv;
    s->id = id;
    s->events = *events;
    s->arg = arg;
    s->process = PIDREF_INIT;
    s->scale = ITIMER_SCALE_INIT;
    session_config_copy(&s->config, config);
    s->user = config->user;
    intake_init(&s->intake, priv, s->user, &intake_events, s);
    set_intervals(s);
    uv_timer_init(loop, &s->timer);
    s->timer.data = s;
    s->handles = 1;
    s->state = JVM_STATE_WAITING;
    metric_add(&sessions, 1, jvm_state_name(s->state));
    (void)watch_process(s);
    uv_timer_start(&s->timer, session_on_timer, 0, 0);
    return s;
}

void jvm_session_update(struct jvm_session *s, const struct jvm_session_config *config)
{
    const bool other = session_config_samples_differ(&s->config, config),
               eased = session_config_rules_differ(&s->config, config);
    struct jvm_session_config old = s->config;
    session_config_copy(&s->config, config);
    session_config_done(&old);
    set_intervals(s);
    if ((!other && !eased) || s->close_by || s->finished)
        return;
    if (other)
        s->wanted++;
    s->retries = (struct jvm_retry){0}; /* what was refused may be welcome now */
    s->roll_not_before = 0;
    s->retry_at = clock_ns();
    uv_timer_start(&s->timer, session_on_timer, 0, 0);
}

void jvm_session_close(struct jvm_session *s, unsigned limit_ms)
{
    if (s->finished)
        return;
    const int64_t by = clock_ns() + (int64_t)limit_ms * NS_PER_MS;
    s->intake.hurry = true;
    s->close_by = s->close_by ? min_ns(s->close_by, by) : by;
    if (!s->gone)
        session_set_state(s, JVM_STATE_STOPPING, "");
    uv_timer_start(&s->timer, session_on_timer, 0, 0);
}

int64_t jvm_session_next_ns(const struct jvm_session *s)
{
    const int64_t now = clock_ns();
    int64_t at = 0;
    if (s->state == JVM_STATE_WAITING)
        at = s->retry_at;
    else if (s->state == JVM_STATE_PROFILING)
        at = (s->intake.open ? s->intake.began : s->chunk_began) + intake_target_ns(&s->intake);
    return at > now ? at - now : 0;
}
