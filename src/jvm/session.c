#include "jvm/session.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/cleanup.h"
#include "base/mem.h"
#include "jvm/aftercare.h"
#include "jvm/recording.h"
#include "jvm/retry.h"
#include "jvm/session_config.h"
#include "jvm/tick_clock.h"
#include "os/pidref.h"

static const int64_t SECOND = 1000000000, MILLI = 1000000,
                     TICK_NS = 1100000000; /* of the profiler, and what it is late */

/* The least `chunktime` of async-profiler, and the most we let it wait. */
enum { CHUNK_MIN_S = 5, CHUNK_MAX_S = 60 };
/* Looking at the recording: just after a chunk should have closed, again while it has not, and otherwise (a chunk closes early when it
 * reaches chunksize). */
enum { LOOK_AFTER_MS = 50, LOOK_NEAR_MS = 500, LOOK_FAR_MS = 5000, LOOK_OVERDUE_MS = 1000 };
/* Nearly the chunksize: the next one may close early, too. */
enum { LARGE_CHUNK = 2 << 20 };
/* One chunk per turn, so that a backlog neither starves the loop nor floods who converts; faster when the session ends. */
enum { BACKLOG_MS = 25, BACKLOG_END_MS = 1 };
/* timeout= goes this far beyond the roll-over. */
enum { DEAD_MAN_S = 60 };
/* Roll over early at this much call-trace storage, below memlimit: beyond that the profiler forgets new stacks. Asking costs an attach, and
 * every stack stored is in some chunk, with four bytes or more for a frame that takes sixteen in memory (vmEntry.h): with so few bytes
 * read, the storage cannot be near the limit. */
enum { TRACE_KB_MAX = 48 << 10, METRICS_PER_ROLL = 4, METRICS_BYTES = 4 << 20 };
/* Recordings at a time: the current one, and earlier ones not yet drained. */
enum { FILES_MAX = 4 };
enum work { WORK_NONE, WORK_START, WORK_ROLL, WORK_DUMP, WORK_STOP, WORK_METRICS };

struct file {
    struct recording recording;
    bool ended;         /* its writer is done */
    bool ends_interval; /* what follows was taken with other settings */
};

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
    bool gone, finished;
    bool may_run;     /* the profiler may be running by our doing */
    bool roll_wanted; /* because of memory */
    /* Which settings are in force: counted up by updates, and as of the running session and the operation under way. */
    unsigned wanted, running, sent;
    int64_t close_by; /* 0: not closing */

    struct file files[FILES_MAX]; /* oldest first; the last one is written to unless ended */
    size_t file_count;

    struct aftercare care;
    struct degraded degraded; /* of the settings `sent` */
    struct jvm_retry retries;

    struct tick_clock ticks;
    int64_t began;       /* the profiler's session */
    uint64_t roll_bytes; /* read from it */
    int64_t chunk_began; /* the chunk being written, as we saw it */
    int64_t chunk_due;   /* when it should have closed */
    bool small_chunks;   /* the last one was far from chunksize, so the next one will hardly close early */
    int64_t dump_at, metrics_at, retry_at, roll_not_before;
    bool first_cut; /* the early first profile is done */

    bool interval_open;                         /* chunks were handed out since the last interval ended */
    int64_t interval_start_ns, interval_end_ns; /* by chunk headers */
    int64_t interval_began;
};

static struct metric_family sessions = {
    .name = "smolder_sessions", .help = "Profiling sessions, by state.", .kind = METRIC_GAUGE, .labels = {"state"}};
struct metric_family jvm_chunks_total = {.name = "smolder_chunks_total",
                                         .help = "JFR chunks, by what became of them.",
                                         .kind = METRIC_COUNTER,
                                         .labels = {"result"}};
static struct metric_family jfr_bytes = {
    .name = "smolder_jfr_bytes_total", .help = "Bytes of JFR read from targets.", .kind = METRIC_COUNTER};
static const double attach_buckets[] = {0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10};
static struct metric_family attach_seconds = {.name = "smolder_attach_seconds",
                                              .help = "Time to start a profiler in a JVM.",
                                              .kind = METRIC_HISTOGRAM,
                                              .buckets = attach_buckets,
                                              .bucket_count = ARRAY_LEN(attach_buckets)};
static const double gap_buckets[] = {0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.5, 1, 5};
static struct metric_family gap_seconds = {.name = "smolder_gap_seconds",
                                           .help = "Time without sampling at a roll-over, at most.",
                                           .kind = METRIC_HISTOGRAM,
                                           .buckets = gap_buckets,
                                           .bucket_count = ARRAY_LEN(gap_buckets)};

static void turn(struct jvm_session *s);
static void schedule(struct jvm_session *s);

const char *jvm_state_name(enum jvm_state s)
{
    static const char *const names[] = {"waiting", "starting", "profiling", "stopping", "gone"};
    return names[s];
}

static int64_t now_ns(void)
{
    return (int64_t)uv_hrtime();
}

static void enter(struct jvm_session *s, enum jvm_state state, const char *reason)
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
    return s->config.interval_ns < CHUNK_MIN_S * SECOND;
}

/* Whole seconds per chunk: the interval, or an even part of it. Also how long a cut by `dump` may take. */
static int64_t chunk_s(const struct jvm_session *s)
{
    int64_t interval_s = (s->config.interval_ns + SECOND - 1) / SECOND;
    int64_t parts = (interval_s + CHUNK_MAX_S - 1) / CHUNK_MAX_S;
    return (interval_s + parts - 1) / parts;
}

/* All that `start` gets besides what the operation adds. The user's come last: the last one of a name wins. */
static char *start_options(const struct jvm_session *s)
{
    char *chunktime = by_dump(s) ? xstrdup("") : xasprintf("chunktime=%lld,", (long long)chunk_s(s));
    long long timeout = s->config.roll_ns / SECOND + 2 * chunk_s(s) + DEAD_MAN_S;
    char *all = xasprintf("%schunksize=4m,timeout=%lld,memlimit=64m,%s", chunktime, timeout, s->config.events);
    free(chunktime);
    return all;
}

/* ---- intervals ---- */

static void end_interval(struct jvm_session *s)
{
    if (!s->interval_open)
        return;
    s->interval_open = false;
    s->events.chunk(s->arg, NULL, 0, true);
}

/* The early first profile is an interval of its own. */
static int64_t target_ns(const struct jvm_session *s)
{
    return s->first_cut || s->config.first_ns > s->config.interval_ns ? s->config.interval_ns : s->config.first_ns;
}

static bool interval_full(const struct jvm_session *s, int64_t target)
{
    const int64_t slack = target / 10 < SECOND / 2 ? target / 10 : SECOND / 2;
    if (s->interval_end_ns - s->interval_start_ns >= target - slack)
        return true;
    /* The wall clock was set back: headers no longer say how long it took. */
    return now_ns() - s->interval_began >= target + target / 4 + 5 * SECOND;
}

/* `live`: of the running profiler, not what an earlier one left. */
static void hand_out(struct jvm_session *s, struct recording_chunk *c, bool live)
{
    /* A hole in time is not part of any interval: the profiler was off, or another agent's. */
    if (s->interval_open && (c->start_ns - s->interval_end_ns > SECOND || c->start_ns - s->interval_end_ns < -SECOND))
        end_interval(s);
    const int64_t now = now_ns();
    if (!s->interval_open) {
        s->interval_open = true;
        s->interval_start_ns = c->start_ns;
        s->interval_began = now - (c->end_ns - c->start_ns);
    }
    s->interval_end_ns = c->end_ns;
    const bool full = interval_full(s, live ? target_ns(s) : s->config.interval_ns);
    s->interval_open = !full;
    s->first_cut = s->first_cut || (full && live);
    metric_add(&jvm_chunks_total, 1, "read");
    metric_add(&jfr_bytes, (double)c->len);
    if (!s->gone) /* or its pid may be another's */
        (void)tick_clock_worth(&s->ticks, s->id.pid);
    s->events.chunk(s->arg, c->bytes, c->len, full);
}

/* ---- recordings ---- */

static struct file *current(struct jvm_session *s)
{
    struct file *last = s->file_count ? &s->files[s->file_count - 1] : NULL;
    return last && !last->ended ? last : NULL;
}

static void drop_file(struct jvm_session *s, size_t i)
{
    recording_done(&s->files[i].recording);
    s->file_count--;
    memmove(&s->files[i], &s->files[i + 1], (s->file_count - i) * sizeof s->files[0]);
}

static void add_file(struct jvm_session *s, int fd, bool ended)
{
    if (s->file_count == FILES_MAX) {
        metric_add(&jvm_chunks_total, 1, "dropped");
        drop_file(s, 0);
    }
    struct file *f = &s->files[s->file_count++];
    *f = (struct file){.recording = RECORDING_INIT, .ended = ended};
    f->recording.fd = fd;
}

static void end_files(struct jvm_session *s)
{
    for (size_t i = 0; i < s->file_count; i++)
        s->files[i].ended = true;
}

/* An earlier agent's recording, or our own whose fate was unknown: it was stopped, so what is in it is complete. */
static void adopt(struct jvm_session *s, int fd)
{
    for (size_t i = 0; i < s->file_count; i++) {
        if (recording_is(&s->files[i].recording, fd)) {
            close(fd);
            return;
        }
    }
    add_file(s, fd, true);
    if (recording_find_first(&s->files[s->file_count - 1].recording, NULL) < 0) {
        metric_add(&jvm_chunks_total, 1, "broken");
        drop_file(s, s->file_count - 1);
    }
}

static void file_over(struct jvm_session *s, bool broken)
{
    struct file *f = &s->files[0];
    if (broken)
        metric_add(&jvm_chunks_total, 1, "broken");
    else if (recording_has_tail(&f->recording))
        metric_add(&jvm_chunks_total, 1, "unfinished");
    bool ends = f->ends_interval;
    drop_file(s, 0);
    if (ends)
        end_interval(s);
}

static void lose(struct jvm_session *s, const char *reason, int64_t retry_ns);

/* The next chunk began when this one ended, a moment ago by the wall clock, and takes as long: the profiler closes chunks on its tick of
 * a second, mostly the one after the time is up. One that was cut early, or a clock that jumped, makes the guess a bad one: then
 * the looks come every LOOK_NEAR_MS, or LOOK_FAR_MS is soon enough. */
static int64_t due_after(const struct jvm_session *s, const struct recording_chunk *c)
{
    struct timespec wall;
    clock_gettime(CLOCK_REALTIME, &wall);
    const int64_t since = (int64_t)wall.tv_sec * SECOND + wall.tv_nsec - c->end_ns, took = c->end_ns - c->start_ns;
    const int64_t least = chunk_s(s) * SECOND, length = took > least && took < least + TICK_NS ? took : least;
    return now_ns() + length - (since > 0 && since < length ? since : 0) + LOOK_AFTER_MS * MILLI;
}

/* One step of reading; true when there may be more at once. */
static bool read_some(struct jvm_session *s)
{
    if (s->file_count == 0)
        return false;
    struct file *f = &s->files[0];
    const bool live = f == current(s);
    struct recording_chunk c;
    switch (recording_next(&f->recording, f->ended, &c)) {
    case RECORDING_CHUNK:
        if (live) {
            s->chunk_began = now_ns();
            s->chunk_due = due_after(s, &c);
            s->small_chunks = c.len < LARGE_CHUNK;
            s->roll_bytes += c.len;
            s->retries.failures = 0;
            if (s->state == JVM_STATE_PROFILING)
                enter(s, s->state, s->degraded.why);
        }
        const bool more = !c.last;
        hand_out(s, &c, live);
        return more;
    case RECORDING_DROPPED:
        metric_add(&jvm_chunks_total, 1, "dropped");
        s->chunk_began = live ? now_ns() : s->chunk_began;
        s->roll_bytes += METRICS_BYTES; /* it was larger */
        return true;
    case RECORDING_WAITING:
        return false;
    case RECORDING_END:
        file_over(s, false);
        return s->file_count > 0;
    case RECORDING_BROKEN:
        file_over(s, true);
        if (live && s->state == JVM_STATE_PROFILING && s->work == WORK_NONE)
            lose(s, "the recording is damaged (full disk?)", SECOND);
        return s->file_count > 0;
    }
    return false;
}

/* ---- operations ---- */

static struct jvm_start request(const struct jvm_session *s, const char *options)
{
    const bool judged = s->config.quarantine && !s->config.retry_crashed;
    return (struct jvm_start){.id = s->id,
                              .tmp_dir = s->config.tmp_dir,
                              .dist = s->config.dist,
                              .options = options,
                              .untested = s->config.untested,
                              .headroom = s->config.headroom,
                              .condemned = judged ? quarantine_keys(s->config.quarantine) : NULL,
                              .degraded = &s->degraded};
}

static void run(struct jvm_session *s, enum work work,
                uint64_t (*op)(struct priv *, const struct jvm_start *, jvm_done *, void *), jvm_done *done)
{
    const bool attach = work == WORK_START || work == WORK_ROLL;
    if (attach && s->sent != s->wanted)
        s->degraded = (struct degraded){0}; /* other events may be welcome */
    cleanup_free char *options = start_options(s);
    struct jvm_start r = request(s, options);
    s->work = work;
    if (attach)
        aftercare_begin(&s->care, &s->process, now_ns());
    /* Should ours still run, for all we know not to, it is found and taken over like an earlier agent's. */
    for (size_t i = 0; work == WORK_START && i < s->file_count; i++)
        recording_release(&s->files[i].recording);
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
static void lose(struct jvm_session *s, const char *reason, int64_t retry_ns)
{
    s->retry_at = now_ns() + retry_ns;
    enter(s, s->close_by ? JVM_STATE_STOPPING : JVM_STATE_WAITING, reason);
}

static int64_t retry_after(struct jvm_session *s, enum jvm_outcome outcome)
{
    return jvm_retry_after(&s->retries, outcome, s->config.interval_ns, jvm_age_ns(s->id.start_time));
}

static void process_gone(struct jvm_session *s);

/* A condemned make-up is not attached to. False when it is none (any more). */
static bool wait_for_pardon(struct jvm_session *s)
{
    char why[ERR_MAX];
    if (!s->config.quarantine || s->config.retry_crashed ||
        !quarantine_reason(s->config.quarantine, s->care.makeup.key, why, sizeof why))
        return false;
    lose(s, why, JVM_CONDEMNED_LOOK_S * SECOND);
    return true;
}

/* What a start or roll-over told besides its outcome. */
static void learn(struct jvm_session *s, const struct jvm_reply *r)
{
    aftercare_keep_socket(&s->care, r->socket_fd);
    if (s->care.since_ns && !s->care.ended_ns)
        s->care.since_ns = now_ns();
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

static void failed(struct jvm_session *s, const struct jvm_reply *r)
{
    if (r->outcome == JVM_GONE) {
        process_gone(s);
        return;
    }
    /* A roll-over was put off: the session that runs does so until its timeout. */
    if (r->outcome == JVM_NO_ROOM && s->state == JVM_STATE_PROFILING && !s->gone) {
        s->roll_wanted = false;
        s->roll_not_before = now_ns() + retry_after(s, r->outcome);
        enter(s, s->state, r->reason);
        return;
    }
    s->may_run = s->may_run || r->outcome == JVM_TIMEOUT;
    if (r->outcome == JVM_CONDEMNED && wait_for_pardon(s))
        return;
    lose(s, r->reason[0] ? r->reason : jvm_outcome_name(r->outcome), retry_after(s, r->outcome));
}

static void began(struct jvm_session *s, const struct jvm_reply *r)
{
    end_files(s);
    if (s->sent != s->running && s->file_count)
        s->files[s->file_count - 1].ends_interval = true;
    if (r->previous_fd >= 0)
        adopt(s, r->previous_fd);
    add_file(s, r->output_fd, false);
    const int64_t now = now_ns();
    tick_clock_begin(&s->ticks, s->id.pid);
    s->began = s->chunk_began = now;
    s->chunk_due = now + chunk_s(s) * SECOND + LOOK_AFTER_MS * MILLI;
    s->dump_at = now + target_ns(s);
    s->metrics_at = now + s->config.roll_ns / METRICS_PER_ROLL;
    s->roll_bytes = 0;
    s->roll_wanted = false;
    s->running = s->sent;
    s->may_run = true;
    if (!s->close_by)
        enter(s, JVM_STATE_PROFILING, s->degraded.why);
    if (s->gone)
        end_files(s);
}

static void on_started(void *arg, const struct jvm_reply *r)
{
    struct jvm_session *s = arg;
    s->work = WORK_NONE;
    learn(s, r);
    if (r->outcome == JVM_OK && r->output_fd >= 0) {
        metric_observe(&attach_seconds, (double)r->attach_ns / 1e9);
        began(s, r);
    } else {
        if (r->previous_fd >= 0)
            adopt(s, r->previous_fd);
        failed(s, r);
    }
    turn(s);
}

static void on_rolled(void *arg, const struct jvm_reply *r)
{
    struct jvm_session *s = arg;
    s->work = WORK_NONE;
    learn(s, r);
    if (r->outcome == JVM_OK && r->output_fd >= 0) {
        metric_observe(&gap_seconds, (double)r->gap_ns / 1e9);
        began(s, r);
    } else {
        failed(s, r);
    }
    turn(s);
}

static void on_dumped(void *arg, const struct jvm_reply *r)
{
    struct jvm_session *s = arg;
    s->work = WORK_NONE;
    const int64_t now = now_ns();
    if (r->outcome == JVM_GONE) {
        process_gone(s);
    } else if (r->outcome != JVM_OK && r->outcome != JVM_TIMEOUT && r->outcome != JVM_FAILED) {
        failed(s, r); /* it does not run, or is not ours any more: start it anew */
    } else {
        /* From its due time, so that lateness does not add up; not in a burst after a pause. */
        s->dump_at += s->config.interval_ns;
        if (s->dump_at < now)
            s->dump_at = now + s->config.interval_ns;
        if (!s->close_by)
            enter(s, JVM_STATE_PROFILING, r->outcome == JVM_OK ? s->degraded.why : r->reason);
    }
    turn(s);
}

static void on_metrics(void *arg, const struct jvm_reply *r)
{
    static const char KEY[] = "mem_calltracestorage_kb";
    struct jvm_session *s = arg;
    s->work = WORK_NONE;
    if (r->outcome == JVM_GONE)
        process_gone(s);
    const char *at = r->outcome == JVM_OK ? strstr(r->text, KEY) : NULL;
    if (at && strtol(at + strcspn(at, "0123456789\n"), NULL, 10) > TRACE_KB_MAX)
        s->roll_wanted = true;
    turn(s);
}

static void on_stopped(void *arg, const struct jvm_reply *r)
{
    struct jvm_session *s = arg;
    (void)r; /* whatever it was, the session is over; an unfinished chunk is counted as such */
    s->work = WORK_NONE;
    s->may_run = false;
    end_files(s);
    turn(s);
}

/* ---- the end ---- */

static void on_handle_closed(uv_handle_t *h)
{
    struct jvm_session *s = h->data;
    if (--s->handles > 0)
        return;
    struct jvm_session_events events = s->events;
    void *arg = s->arg;
    metric_add(&sessions, -1, jvm_state_name(s->state));
    pidref_done(&s->process);
    session_config_done(&s->config);
    free(s);
    events.closed(arg);
}

static void say_how_it_ended(struct jvm_session *s)
{
    char how[QUARANTINE_WHY_MAX];
    const bool condemned = aftercare_judge(&s->care, s->config.quarantine, how, sizeof how);
    cleanup_free char *text = xasprintf("the process ended%s%s", how[0] ? ": " : "", how);
    enter(s, JVM_STATE_GONE, text);
    if (condemned && s->events.condemned)
        s->events.condemned(s->arg, &s->care.makeup, how);
}

static void finish(struct jvm_session *s)
{
    if (s->finished)
        return;
    s->finished = true;
    forget_call(s);
    while (s->file_count)
        file_over(s, false);
    end_interval(s);
    if (s->gone)
        say_how_it_ended(s);
    aftercare_done(&s->care);
    uv_close((uv_handle_t *)&s->timer, on_handle_closed);
    if (s->handles > 1)
        uv_close((uv_handle_t *)&s->exit, on_handle_closed);
}

/* What it wrote before it ended is complete; it is read in turns, then the session finishes. */
static void process_gone(struct jvm_session *s)
{
    if (s->gone)
        return;
    s->gone = true;
    s->may_run = false;
    aftercare_ended(&s->care, &s->process, now_ns());
    /* An attach under way notices by itself, and says whose make-up it was. */
    if (s->work != WORK_START && s->work != WORK_ROLL)
        forget_call(s);
    end_files(s);
}

static void on_exit_seen(uv_poll_t *h, int status, int events)
{
    struct jvm_session *s = h->data;
    (void)status;
    (void)events;
    uv_poll_stop(h);
    process_gone(s);
    turn(s);
}

/* ---- the clock ---- */

static bool roll_due(const struct jvm_session *s, int64_t now)
{
    if (s->roll_wanted || s->running != s->wanted)
        return true;
    const int64_t since = now - s->began;
    /* Right after a chunk closed, so that little is left for the old recording's last one; without waiting for ever. */
    return since >= s->config.roll_ns && now >= s->roll_not_before &&
           (now - s->chunk_began < SECOND / 4 || since >= s->config.roll_ns + (chunk_s(s) + 5) * SECOND);
}

static bool needs_dump(const struct jvm_session *s)
{
    return by_dump(s) || (!s->first_cut && s->config.first_ns < s->config.interval_ns);
}

static int64_t overdue_ns(const struct jvm_session *s)
{
    int64_t patience = s->config.interval_ns / 2 > 10 * SECOND ? s->config.interval_ns / 2 : 10 * SECOND;
    return s->chunk_began + chunk_s(s) * SECOND + patience;
}

/* Then it waits until it is not. */
static bool too_young(struct jvm_session *s)
{
    const int64_t left = s->config.min_age_ns - jvm_age_ns(s->id.start_time);
    if (left <= 0)
        return false;
    cleanup_free char *why = xasprintf("waiting until it is %.3g s old (min_age)", (double)s->config.min_age_ns / 1e9);
    lose(s, why, left);
    return true;
}

static void next_work(struct jvm_session *s, int64_t now)
{
    if (s->state == JVM_STATE_WAITING) {
        if (now >= s->retry_at && !too_young(s) && !wait_for_pardon(s)) {
            enter(s, JVM_STATE_STARTING, s->reason);
            run(s, WORK_START, jvm_start, on_started);
        }
        return;
    }
    if (now >= overdue_ns(s)) {
        lose(s, "no data although the profiler should run: the JVM is suspended, or the profiler was stopped", 0);
        enter(s, JVM_STATE_STARTING, s->reason);
        run(s, WORK_START, jvm_start, on_started);
    } else if (roll_due(s, now)) {
        run(s, WORK_ROLL, jvm_roll, on_rolled);
    } else if (needs_dump(s) && now >= s->dump_at) {
        run(s, WORK_DUMP, jvm_dump, on_dumped);
    } else if (now >= s->metrics_at) {
        s->metrics_at = now + s->config.roll_ns / METRICS_PER_ROLL;
        if (s->roll_bytes >= METRICS_BYTES)
            run(s, WORK_METRICS, jvm_metrics, on_metrics);
    }
}

static void turn(struct jvm_session *s)
{
    if (s->finished)
        return;
    const int64_t now = now_ns();
    const bool more = read_some(s);
    if (s->work != WORK_START && s->work != WORK_ROLL)
        aftercare_look(&s->care, s->config.quarantine, now);
    const bool over = (s->gone && s->work == WORK_NONE) || (s->close_by && s->work == WORK_NONE && !s->may_run);
    if ((over && !more) || (s->close_by && now >= s->close_by)) {
        finish(s);
        return;
    }
    if (s->work == WORK_NONE && !s->gone) {
        if (s->close_by && s->may_run)
            run(s, WORK_STOP, jvm_stop, on_stopped);
        else if (!s->close_by)
            next_work(s, now);
    }
    schedule(s);
    if (more) {
        int64_t in_ms = s->gone || s->close_by ? BACKLOG_END_MS : BACKLOG_MS;
        if (uv_timer_get_due_in(&s->timer) > (uint64_t)in_ms)
            uv_timer_start(&s->timer, s->timer.timer_cb, (uint64_t)in_ms, 0);
    }
}

static void on_timer(uv_timer_t *t)
{
    turn(t->data);
}

static int64_t min_ns(int64_t a, int64_t b)
{
    return a < b ? a : b;
}

/* When the recording is worth a look. */
static int64_t next_look(const struct jvm_session *s, int64_t now)
{
    if (by_dump(s))
        return now + LOOK_FAR_MS * MILLI;
    if (now < s->chunk_due)
        return s->small_chunks ? s->chunk_due : min_ns(s->chunk_due, now + LOOK_FAR_MS * MILLI);
    return now + (now < s->chunk_due + 3 * SECOND ? LOOK_NEAR_MS : LOOK_OVERDUE_MS) * MILLI;
}

static void schedule(struct jvm_session *s)
{
    const int64_t now = now_ns();
    const bool profiling = s->state == JVM_STATE_PROFILING;
    int64_t at = profiling ? next_look(s, now) : now + LOOK_FAR_MS * MILLI;
    if (s->close_by)
        at = min_ns(at, s->close_by);
    if (s->work == WORK_NONE && s->state == JVM_STATE_WAITING)
        at = min_ns(at, s->retry_at);
    if (s->work == WORK_NONE && s->care.since_ns && !s->gone)
        at = min_ns(at, s->care.since_ns + AFTERCARE_S * SECOND);
    if (profiling && s->work == WORK_NONE && needs_dump(s))
        at = min_ns(at, s->dump_at);
    int64_t ms = at <= now ? 0 : (at - now + MILLI - 1) / MILLI;
    uv_timer_start(&s->timer, on_timer, (uint64_t)ms, 0);
}

/* ---- what others call ---- */

/* A process that is already gone is noticed in the first turn. */
static void watch_process(struct jvm_session *s)
{
    if (pidref_open(s->id.pid, s->id.start_time, &s->process, NULL) < 0) {
        process_gone(s);
        return;
    }
    if (uv_poll_init(s->loop, &s->exit, s->process.fd) < 0)
        return; /* operations will say JVM_GONE */
    s->exit.data = s;
    s->handles++;
    uv_poll_start(&s->exit, UV_READABLE, on_exit_seen);
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
    s->ticks = TICK_CLOCK_INIT;
    session_config_copy(&s->config, config);
    uv_timer_init(loop, &s->timer);
    s->timer.data = s;
    s->handles = 1;
    s->state = JVM_STATE_WAITING;
    metric_add(&sessions, 1, jvm_state_name(s->state));
    watch_process(s);
    uv_timer_start(&s->timer, on_timer, 0, 0);
    return s;
}

void jvm_session_update(struct jvm_session *s, const struct jvm_session_config *config)
{
    const bool other = session_config_samples_differ(&s->config, config),
               eased = session_config_rules_differ(&s->config, config);
    struct jvm_session_config old = s->config;
    session_config_copy(&s->config, config);
    session_config_done(&old);
    if ((!other && !eased) || s->close_by || s->finished)
        return;
    if (other)
        s->wanted++;
    s->retries = (struct jvm_retry){0}; /* what was refused may be welcome now */
    s->roll_not_before = 0;
    s->retry_at = now_ns();
    uv_timer_start(&s->timer, on_timer, 0, 0);
}

void jvm_session_close(struct jvm_session *s, unsigned limit_ms)
{
    if (s->finished)
        return;
    const int64_t by = now_ns() + (int64_t)limit_ms * MILLI;
    s->close_by = s->close_by ? min_ns(s->close_by, by) : by;
    if (!s->gone)
        enter(s, JVM_STATE_STOPPING, "");
    uv_timer_start(&s->timer, on_timer, 0, 0);
}

double jvm_session_tick_worth(const struct jvm_session *s)
{
    return s->ticks.worth;
}

int64_t jvm_session_next_ns(const struct jvm_session *s)
{
    const int64_t now = now_ns();
    int64_t at = 0;
    if (s->state == JVM_STATE_WAITING)
        at = s->retry_at;
    else if (s->state == JVM_STATE_PROFILING)
        at = (s->interval_open ? s->interval_began : s->chunk_began) + target_ns(s);
    return at > now ? at - now : 0;
}
