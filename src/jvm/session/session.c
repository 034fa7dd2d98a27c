#include "jvm/session/session.h"

#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "base/mem.h"
#include "jvm/operation/client.h"
#include "jvm/session/aftercare.h"
#include "jvm/session/budget.h"
#include "jvm/session/coverage.h"
#include "jvm/session/exit_watch.h"
#include "jvm/session/intake.h"
#include "jvm/session/itimer_scale.h"
#include "jvm/session/places.h"
#include "jvm/session/poll_times.h"
#include "jvm/session/retry.h"
#include "jvm/session/session_config.h"
#include "jvm/session/session_state.h"
#include "os/pidref.h"
#include "os/procfs.h"

/* How often a session that waits for descriptors asks for them. */
enum { BUDGET_WAIT_S = 5 };
/* One that waits for a place is called; this only ends a wait that nobody ends. */
enum { PLACE_WAIT_S = 3600 };
/* Whoever may ask for cuts may not ask for any number: each is an attach, which leaves some bytes in the JVM. */
enum { CUT_EVERY_S = 30, CUT_BURST = 10 };
/* Roll over early at this much call-trace storage, below memlimit: beyond that the profiler forgets new stacks. Asking
 * costs an attach, and every stack stored is in some chunk, with four bytes or more for a frame that takes sixteen in
 * memory (vmEntry.h): with so few bytes read, the storage cannot be near the limit. */
enum { TRACE_KB_MAX = 48 << 10, METRICS_PER_ROLL = 4, METRICS_BYTES = 4 << 20 };
/* A second profiler is looked for this part of an interval early or late, when a chunk wakes us up anyway. */
enum { LOOK_EARLY = 8 };
enum work { WORK_NONE, WORK_START, WORK_ROLL, WORK_DUMP, WORK_STOP, WORK_METRICS, WORK_LOOK };

struct jvm_session {
    uv_loop_t *loop;
    struct priv *priv;
    struct jvm_id id;
    struct jvm_session_config config; /* own copies of the strings */
    struct jvm_session_events events;
    void *arg;

    struct exit_watch exit;
    uv_timer_t timer;
    unsigned handles; /* still open */

    enum session_phase phase;
    enum jvm_state state; /* as it was reported */
    char reason[ERR_MAX];
    enum work work; /* the operation under way; one at a time */
    uint64_t call;
    bool watched; /* it has its share of descriptors (jvm/session/budget.h), and its process is watched */
    bool gone, finished;
    bool may_run;      /* the profiler may be running by our doing */
    bool roll_wanted;  /* because of memory */
    bool cut_wanted;   /* by jvm_session_cut() */
    int64_t cut_clock; /* when all cuts would have been made, at one every CUT_EVERY_S */
    bool cutting;      /* the dump under way is that one, and no interval's */
    /* Which settings are in force: counted up by updates, and as of the running session and the operation under way. */
    unsigned wanted, running, sent;
    int64_t close_by; /* 0: not closing */

    uint64_t user;
    struct intake intake;
    bool halt; /* what it writes is no use: it is to be stopped before it is tried again */

    struct jvm_place place;
    struct aftercare care;
    unsigned judged;          /* the quarantine's version at the last look */
    struct degraded degraded; /* of the settings `sent` */
    struct jvm_retry retries;

    struct itimer_scale scale;
    struct coverage coverage;
    char coverage_why[COVERAGE_WHY_MAX]; /* its verdict; "" = fine */
    bool other_signal;                   /* the CPU event does without SIGPROF */
    char second[JVM_SECOND_MAX];         /* another profiler's library in the JVM, "" = none */
    uint64_t vsize;                      /* of the JVM when it was looked for */
    int64_t look_at;
    int64_t began;       /* the profiler's session */
    uint64_t roll_bytes; /* read from it */
    struct poll_times poll;
    int64_t dump_at, metrics_at, retry_at, roll_not_before;
};

static void session_drive(struct jvm_session *s);
static void session_on_timer(uv_timer_t *t);
static void session_schedule(struct jvm_session *s);

static void session_set_phase(struct jvm_session *s, enum session_phase phase, const char *reason)
{
    const enum jvm_state state = session_state_of(phase, reason);
    s->phase = phase;
    jvm_place_follow(&s->place, state);
    if (s->state == state && strcmp(s->reason, reason) == 0)
        return;
    session_state_leave(s->state);
    session_state_enter(state);
    s->state = state;
    if (reason != s->reason) /* snprintf onto itself would empty it */
        snprintf(s->reason, sizeof s->reason, "%s", reason);
    s->events.state(s->arg, state, s->reason);
}

/* What is missing of a JVM that is profiled: "" = nothing. */
static const char *session_missing(const struct jvm_session *s)
{
    return s->coverage_why[0] ? s->coverage_why : s->degraded.why;
}

/* ---- recordings ---- */

static void session_enter_waiting(struct jvm_session *s, const char *reason, int64_t retry_ns);
static int64_t retry_after(struct jvm_session *s, enum jvm_outcome outcome);

static int64_t min_ns(int64_t a, int64_t b)
{
    return a < b ? a : b;
}

static void on_live_chunk(void *arg, const struct jfr_chunk *c)
{
    struct jvm_session *s = arg;
    poll_times_chunk(&s->poll, &s->config, c);
    s->roll_bytes += c->len;
    s->retries.failures = 0;
    if (s->phase == PHASE_PROFILING)
        session_set_phase(s, s->phase, session_missing(s));
    else if (s->phase == PHASE_IDLE && s->may_run)
        s->retry_at = s->poll.began; /* what held it up is over (SIGCONT): the session that runs is taken over now */
}

static void session_on_chunk(void *arg, struct jfr_chunk *c)
{
    struct jvm_session *s = arg;
    if (c->bytes && !s->gone) { /* or its pid may be another's */
        (void)itimer_scale_measure(&s->scale, s->id.pid);
        coverage_read(&s->coverage, s->id.pid, true);
    }
    coverage_chunk(&s->coverage, c->start_ns, c->end_ns, c->last_of_interval);
    c->itimer_scale = s->scale.value;
    s->events.chunk(s->arg, c);
}

static void on_damaged(void *arg, const char *why)
{
    struct jvm_session *s = arg;
    if (s->phase != PHASE_PROFILING || s->gone)
        return;
    s->halt = true;
    session_enter_waiting(s, why, retry_after(s, JVM_FAILED));
}

static void on_step(void *arg)
{
    session_drive(arg);
}

static void session_on_lost(void *arg, const char *why)
{
    struct jvm_session *s = arg;
    if (s->events.lost)
        s->events.lost(s->arg, why);
}

static const struct intake_events intake_events = {session_on_chunk, on_live_chunk, on_damaged, on_step,
                                                   session_on_lost};

/* ---- operations ---- */

static struct jvm_request session_request_of(const struct jvm_session *s, const char *options)
{
    return (struct jvm_request){
        .id = s->id,
        .user = s->user,
        .tmp_dir = s->config.tmp_dir,
        .dist = s->config.dist,
        .options = options,
        .untested = s->config.untested,
        .headroom = s->config.headroom,
        .condemned = session_config_is_guarded(&s->config) ? quarantine_keys(s->config.quarantine) : NULL,
        .degraded = &s->degraded};
}

static void session_forget_coverage(struct jvm_session *s)
{
    coverage_restart(&s->coverage);
    s->coverage_why[0] = '\0';
}

static void session_start_operation(struct jvm_session *s, enum work work,
                                    uint64_t (*op)(struct priv *, const struct jvm_request *, jvm_done *, void *),
                                    jvm_done *done)
{
    const bool attach = work == WORK_START || work == WORK_ROLL;
    if (attach && s->sent != s->wanted) {
        s->degraded = (struct degraded){0}; /* other events may be welcome */
        s->other_signal = false;
        session_forget_coverage(s);
    }
    cleanup_free char *options = session_config_start_options(&s->config, s->other_signal);
    struct jvm_request r = session_request_of(s, options);
    s->work = work;
    if (attach)
        aftercare_begin(&s->care, &s->exit.process, clock_ns());
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
    session_set_phase(s, s->close_by ? PHASE_STOPPING : PHASE_IDLE, reason);
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
    if (!session_config_is_guarded(&s->config) ||
        !quarantine_reason(s->config.quarantine, s->care.makeup.key, why, sizeof why))
        return false;
    session_enter_waiting(s, why, JVM_CONDEMNED_POLL_S * NS_PER_SEC);
    return true;
}

/* Another of its make-up crashed: the profiler is stopped in this one, too. */
static void session_obey_quarantine(struct jvm_session *s)
{
    const unsigned version = session_config_is_guarded(&s->config) ? quarantine_version(s->config.quarantine) : 0;
    if (s->phase != PHASE_PROFILING || s->gone || s->close_by || version == s->judged)
        return;
    s->judged = version;
    if (quarantine_is_sure(s->config.quarantine, s->care.makeup.key))
        s->halt = wait_for_pardon(s) || s->halt;
}

/* What a start or roll-over told besides its outcome. */
static void session_learn(struct jvm_session *s, const struct jvm_reply *r)
{
    aftercare_keep_socket(&s->care, r->socket_fd);
    aftercare_keep_place(&s->care, r->crash_dir, &r->crash_place);
    if (r->makeup.key[0])
        s->care.tight = r->left < VERDICT_ROOM;
    if (s->care.since_ns && !s->care.ended_ns)
        s->care.since_ns = clock_ns();
    if (r->makeup.key[0]) {
        s->care.makeup = r->makeup;
        if (s->events.vm)
            s->events.vm(s->arg, r->makeup.build, r->vendor);
    }
    if (r->outcome != JVM_OK && r->outcome != JVM_TIMEOUT && r->attach_ns == 0)
        aftercare_drop(&s->care); /* nothing was attached to */
    if (r->outcome == JVM_OK) {
        snprintf(s->second, sizeof s->second, "%.*s", JVM_SECOND_MAX - 1, r->text);
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
    if (r->outcome == JVM_NO_ROOM && s->phase == PHASE_PROFILING && !s->gone) {
        s->roll_wanted = false;
        s->roll_not_before = clock_ns() + retry_after(s, r->outcome);
        session_set_phase(s, s->phase, r->reason);
        return;
    }
    s->may_run = s->may_run || r->outcome == JVM_TIMEOUT || r->outcome == JVM_LOST;
    if (r->outcome == JVM_CONDEMNED && wait_for_pardon(s))
        return;
    session_enter_waiting(s, r->reason[0] ? r->reason : jvm_outcome_name(r->outcome), retry_after(s, r->outcome));
}

static void session_plan_look(struct jvm_session *s, int64_t now)
{
    s->vsize = procfs_vsize(s->id.pid);
    s->look_at = now + s->config.interval_ns;
}

static void session_profiler_started(struct jvm_session *s, const struct jvm_reply *r)
{
    const bool other = s->sent != s->running;
    if (r->previous_fd >= 0)
        intake_adopt(&s->intake, r->previous_fd);
    intake_add(&s->intake, r->output_fd, other);
    const int64_t now = clock_ns();
    itimer_scale_begin(&s->scale, s->id.pid);
    coverage_read(&s->coverage, s->id.pid, true);
    s->began = now;
    poll_times_begin(&s->poll, &s->config, now);
    s->dump_at = now + intake_target_ns(&s->intake);
    s->metrics_at = now + s->config.roll_ns / METRICS_PER_ROLL;
    session_plan_look(s, now);
    s->roll_bytes = 0;
    s->roll_wanted = false;
    s->running = s->sent;
    s->may_run = true;
    if (!s->close_by)
        session_set_phase(s, PHASE_PROFILING, session_missing(s));
    if (s->gone)
        intake_end(&s->intake);
}

static void session_on_started(void *arg, const struct jvm_reply *r)
{
    struct jvm_session *s = arg;
    s->work = WORK_NONE;
    session_learn(s, r);
    if (r->outcome == JVM_OK && r->output_fd >= 0) {
        session_state_attached(r->attach_ns);
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
        session_state_gap(r->gap_ns);
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
        if (!s->cutting)
            s->dump_at += s->config.interval_ns;
        if (s->dump_at < now)
            s->dump_at = now + s->config.interval_ns;
        if (r->outcome == JVM_OK)
            s->poll.at = now;
        if (s->phase == PHASE_PROFILING) /* or what it wrote turned out to be damaged */
            session_set_phase(s, PHASE_PROFILING, r->outcome == JVM_OK ? session_missing(s) : r->reason);
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

/* Ours is stopped, and started again when the other one has ended. */
static void session_give_way(struct jvm_session *s, const char *why, int64_t retry_ns)
{
    s->halt = true;
    session_forget_coverage(s);
    session_enter_waiting(s, why, retry_ns);
}

static void session_on_looked(void *arg, const struct jvm_reply *r)
{
    struct jvm_session *s = arg;
    s->work = WORK_NONE;
    if (r->outcome == JVM_GONE) {
        session_process_gone(s);
    } else if (r->outcome == JVM_OK) {
        snprintf(s->second, sizeof s->second, "%.*s", JVM_SECOND_MAX - 1, r->text);
        if (r->was_running && s->phase == PHASE_PROFILING) {
            cleanup_free char *why = xasprintf("another async-profiler session is running in the JVM (%s)", s->second);
            session_give_way(s, why, retry_after(s, JVM_FOREIGN));
        }
    }
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

static void session_handle_closed(void *arg)
{
    struct jvm_session *s = arg;
    if (--s->handles > 0)
        return;
    const struct jvm_session_events events = s->events;
    void *owner = s->arg;
    session_state_leave(s->state);
    pidref_done(&s->exit.process);
    if (s->watched)
        jvm_budget_give(s->user, BUDGET_SESSION_FDS);
    session_config_done(&s->config);
    free(s);
    events.closed(owner);
}

static void session_on_timer_closed(uv_handle_t *h)
{
    session_handle_closed(h->data);
}

static void say_how_it_ended(struct jvm_session *s)
{
    struct verdict v;
    const bool condemned = aftercare_judge(&s->care, s->config.quarantine, s->config.crash_guard, &v);
    cleanup_free char *text = xasprintf("the process ended%s%s", v.text[0] ? ": " : "", v.text);
    session_set_phase(s, PHASE_GONE, text);
    if (condemned && s->events.condemned)
        s->events.condemned(s->arg, &s->care.makeup, v.text);
    else if (v.kind != VERDICT_NONE && s->events.crashed)
        s->events.crashed(s->arg, &s->care.makeup, v.text);
}

static void session_finish(struct jvm_session *s)
{
    if (s->finished)
        return;
    s->finished = true;
    forget_call(s);
    jvm_place_done(&s->place);
    intake_close(&s->intake);
    if (s->gone)
        say_how_it_ended(s);
    aftercare_forget(&s->care, s->priv);
    aftercare_done(&s->care);
    s->handles += exit_watch_close(&s->exit);
    uv_close((uv_handle_t *)&s->timer, session_on_timer_closed);
}

/* What it wrote before it ended is complete; it is read in turns, then the session finishes. */
static void session_process_gone(struct jvm_session *s)
{
    if (s->gone)
        return;
    s->gone = s->intake.hurry = true;
    s->may_run = false;
    aftercare_ended(&s->care, &s->exit.process, clock_ns());
    /* An attach under way notices by itself, and says whose make-up it was. */
    if (s->work != WORK_START && s->work != WORK_ROLL)
        forget_call(s);
    intake_end(&s->intake);
}

static void session_on_ended(void *arg, bool known, int status)
{
    struct jvm_session *s = arg;
    if (known)
        aftercare_status_told(&s->care, status);
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
           (now - s->poll.began < NS_PER_SEC / 4 ||
            since >= s->config.roll_ns + (session_config_chunk_s(&s->config) + 5) * NS_PER_SEC);
}

static bool needs_dump(const struct jvm_session *s)
{
    return session_config_by_dump(&s->config) || (!s->intake.first_cut && s->config.first_ns < s->config.interval_ns);
}

/* What is still being read may be what is missing: on a host that is too busy to read, attaching again would only add
 * to its load. */
static bool is_overdue(const struct jvm_session *s, int64_t now)
{
    int64_t patience = s->config.interval_ns / 2 > 10 * NS_PER_SEC ? s->config.interval_ns / 2 : 10 * NS_PER_SEC;
    return !s->intake.reading && now >= s->poll.began + session_config_chunk_s(&s->config) * NS_PER_SEC + patience;
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
    if (!exit_watch_begin(&s->exit, s->loop, s->priv, s->id, s->user))
        session_process_gone(s);
    return true;
}

/* Others are profiled, as many as may be. */
static bool waits_for_place(struct jvm_session *s)
{
    char room[JVM_PLACE_WHY_MAX];
    if (jvm_place_take(&s->place))
        return false;
    session_enter_waiting(s, jvm_place_why(&s->place, s->reason, room), PLACE_WAIT_S * NS_PER_SEC);
    return true;
}

static void session_on_place(void *arg)
{
    struct jvm_session *s = arg;
    if (!s->place.is_held && s->phase == PHASE_PROFILING)
        session_give_way(s, "max_targets was reduced", 0);
    s->retry_at = clock_ns();
    uv_timer_start(&s->timer, session_on_timer, 0, 0);
}

static void next_work(struct jvm_session *s, int64_t now)
{
    if (s->phase == PHASE_IDLE) {
        if (now >= s->retry_at && watch_process(s) && !s->gone && !too_young(s) && !wait_for_pardon(s) &&
            !waits_for_place(s)) {
            session_set_phase(s, PHASE_STARTING, s->reason);
            session_start_operation(s, WORK_START, jvm_start, session_on_started);
        }
        return;
    }
    if (is_overdue(s, now)) {
        session_enter_waiting(
            s, "no data although the profiler should run: the JVM is suspended, or the profiler was stopped", 0);
        session_set_phase(s, PHASE_STARTING, s->reason);
        session_start_operation(s, WORK_START, jvm_start, session_on_started);
    } else if (roll_due(s, now)) {
        session_start_operation(s, WORK_ROLL, jvm_roll, session_on_rolled);
    } else if (s->cut_wanted || (needs_dump(s) && now >= s->dump_at)) {
        s->cutting = s->cut_wanted;
        s->cut_wanted = false;
        session_start_operation(s, WORK_DUMP, jvm_dump, on_dumped);
    } else if (now >= s->look_at - s->config.interval_ns / LOOK_EARLY) {
        const uint64_t before = s->vsize;
        session_plan_look(s, now);
        if (s->vsize != before || s->second[0])
            session_start_operation(s, WORK_LOOK, jvm_look, session_on_looked);
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
    const bool due = now >= s->poll.at, more = intake_poll(&s->intake, due);
    if (due)
        poll_times_next(&s->poll, &s->config, now);
    if (s->phase == PHASE_PROFILING && !s->gone)
        coverage_read(&s->coverage, s->id.pid, false);
    if (s->work != WORK_START && s->work != WORK_ROLL)
        aftercare_poll(&s->care, s->config.quarantine, now);
    const bool idle = s->work == WORK_NONE,
               over = (s->gone && idle && !aftercare_ask(&s->care, s->priv, s->id, s->user, on_step, s)) ||
                      (s->close_by && idle && !s->may_run);
    if ((over && !more) || (s->close_by && now >= s->close_by)) {
        session_finish(s);
        return;
    }
    if (s->work == WORK_NONE && !s->gone) {
        session_obey_quarantine(s);
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
    const bool profiling = s->phase == PHASE_PROFILING && !s->gone;
    int64_t at = profiling ? s->poll.at : now + POLL_FAR_MS * NS_PER_MS;
    const int64_t put_off = intake_delay_ns(&s->intake);
    if (put_off)
        at = min_ns(at, now + put_off);
    if (s->close_by)
        at = min_ns(at, s->close_by);
    if (s->work == WORK_NONE && s->phase == PHASE_IDLE)
        at = min_ns(at, s->retry_at);
    if (s->work == WORK_NONE && s->care.since_ns && !s->gone)
        at = min_ns(at, s->care.since_ns + AFTERCARE_S * NS_PER_SEC);
    if (profiling && s->work == WORK_NONE && needs_dump(s))
        at = min_ns(at, s->dump_at);
    if (profiling && s->work == WORK_NONE)
        at = min_ns(at, s->look_at + s->config.interval_ns / LOOK_EARLY);
    /* Never 0: libuv runs such a timer again before it looks at sockets, on which the next step may depend. */
    int64_t ms = at <= now ? 1 : (at - now + NS_PER_MS - 1) / NS_PER_MS;
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
    s->exit = (struct exit_watch){
        .process = PIDREF_INIT, .care = &s->care, .ended = session_on_ended, .closed = session_handle_closed, .arg = s};
    s->scale = ITIMER_SCALE_INIT;
    session_config_copy(&s->config, config);
    s->user = config->user;
    intake_init(&s->intake, priv, s->user, &intake_events, s);
    set_intervals(s);
    jvm_place_begin(&s->place, config->places, session_on_place, s);
    uv_timer_init(loop, &s->timer);
    s->timer.data = s;
    s->handles = 1;
    s->phase = PHASE_IDLE;
    s->state = JVM_STATE_WAITING;
    session_state_enter(s->state);
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
        session_set_phase(s, PHASE_STOPPING, "the profiler is being stopped");
    uv_timer_start(&s->timer, session_on_timer, 0, 0);
}

void jvm_session_cut(struct jvm_session *s)
{
    const int64_t now = clock_ns(), every = CUT_EVERY_S * NS_PER_SEC;
    if (s->phase != PHASE_PROFILING || s->finished || s->close_by)
        return;
    s->cut_clock = s->cut_clock < now ? now : s->cut_clock;
    if (s->cut_clock - now > (CUT_BURST - 1) * every)
        return;
    s->cut_clock += every;
    s->cut_wanted = true;
    uv_timer_start(&s->timer, session_on_timer, 0, 0);
}

/* `itimer` depends on SIGPROF, which may be blocked or somebody else's; `ctimer` can do with another signal. */
static bool session_use_other_signal(struct jvm_session *s)
{
    if (s->other_signal || s->coverage.verdict != COVERAGE_NONE ||
        !degrade_event(str_of(s->config.events), "ctimer",
                       "no CPU samples although the process used CPU time; SIGPROF is blocked or in use", &s->degraded))
        return false;
    s->other_signal = s->roll_wanted = true;
    session_forget_coverage(s);
    return true;
}

void jvm_session_sampled(struct jvm_session *s, int64_t sampled_ns, int64_t sample_ns)
{
    char event[COVERAGE_EVENT_MAX];
    if (!coverage_sampled(&s->coverage, coverage_applies(s->config.events) ? sampled_ns : -1, sample_ns))
        return;
    session_config_event(&s->config, s->degraded.changes, event, sizeof event);
    if (s->second[0] && s->coverage.verdict != COVERAGE_FINE && s->phase == PHASE_PROFILING && !s->finished) {
        coverage_text(&s->coverage, event, s->coverage_why, sizeof s->coverage_why);
        cleanup_free char *why = xasprintf("another profiler is loaded in this JVM (%s), and smolder gives way: %s",
                                           s->second, s->coverage_why);
        session_give_way(s, why, JVM_SECOND_RETRY_S * NS_PER_SEC);
        uv_timer_start(&s->timer, session_on_timer, 0, 0);
        return;
    }
    if (!session_use_other_signal(s))
        coverage_text(&s->coverage, event, s->coverage_why, sizeof s->coverage_why);
    if (s->phase != PHASE_PROFILING || s->finished)
        return;
    session_set_phase(s, s->phase, session_missing(s));
    uv_timer_start(&s->timer, session_on_timer, 0, 0);
}

int64_t jvm_session_next_ns(const struct jvm_session *s)
{
    const int64_t now = clock_ns();
    int64_t at = 0;
    if (s->phase == PHASE_IDLE)
        at = s->retry_at;
    else if (s->phase == PHASE_PROFILING)
        at = (s->intake.open ? s->intake.began : s->poll.began) + intake_target_ns(&s->intake);
    return at > now ? at - now : 0;
}
