#include "cli/record_session.h"

#include <errno.h>
#include <string.h>
#include <sys/stat.h>

#include "base/clock.h"
#include "base/terminal.h"
#include "jvm/probe/headroom.h"
#include "jvm/probe/reason.h"
#include "jvm/probe/user.h"
#include "jvm/session/session.h"

/* How long an attach is retried; how long the end may take. */
enum { RECORD_PATIENCE_MS = 15000, RECORD_CLOSE_MS = 8000 };
enum { RECORD_CHUNK_MIN_S = 5, RECORD_CHUNK_MAX_S = 60, RECORD_ROLL_S = 900, RECORD_SPARE_S = 30 };

struct alone {
    const struct record_settings *settings;
    struct record_progress *progress;
    struct spool *spool;
    struct jvm_session *session;
    struct quarantine *quarantine;
    uv_timer_t timer; /* patience, then the duration */
    int64_t since_ns; /* wall clock: what ended before is an earlier session's */
    bool begun, closing, closed;
    char reason[ERR_MAX];
    struct err failed; /* of the spool */
};

static void record_alone_close(void *arg)
{
    struct alone *a = arg;
    if (a->closing || !a->session)
        return;
    a->closing = true;
    uv_timer_stop(&a->timer);
    jvm_session_close(a->session, RECORD_CLOSE_MS);
}

static void record_alone_on_time(uv_timer_t *t)
{
    record_alone_close(t->data);
}

static void record_alone_on_chunk(void *arg, struct jfr_chunk *c)
{
    struct alone *a = arg;
    if (!c->bytes || c->end_ns <= a->since_ns || a->failed.code)
        return;
    if (spool_chunk(a->spool, (struct str){(const char *)c->bytes, c->len}, c->start_ns, c->end_ns, &a->failed) < 0)
        record_alone_close(a);
}

static void record_alone_begin(struct alone *a, const char *reason)
{
    if (*reason && strcmp(reason, a->reason) != 0)
        terminal_printf(stderr, "smolder record: %s\n", reason);
    snprintf(a->reason, sizeof a->reason, "%s", reason);
    if (a->begun)
        return;
    a->begun = true;
    record_progress_begin(a->progress);
    uv_timer_start(&a->timer, record_alone_on_time, (uint64_t)(a->settings->duration_ns / NS_PER_MS), 0);
}

/* Something else has the JVM, or it will never be profiled: no use to wait. */
static bool record_alone_is_final(enum jvm_state state, const char *reason)
{
    const char *code = jvm_reason_of(state, reason)->code;
    return state == JVM_STATE_REFUSED || strncmp(code, "other_", strlen("other_")) == 0 ||
           strcmp(code, "memory_limit") == 0 || strcmp(code, "stopped") == 0 || strcmp(code, "frozen") == 0;
}

static void record_alone_on_state(void *arg, enum jvm_state state, const char *reason)
{
    struct alone *a = arg;
    if (state == JVM_STATE_PROFILING || state == JVM_STATE_DEGRADED) {
        record_alone_begin(a, reason);
        return;
    }
    if (a->closing || !*reason || state == JVM_STATE_ATTACHING)
        return;
    snprintf(a->reason, sizeof a->reason, "%s", reason);
    if (!a->begun && record_alone_is_final(state, reason))
        uv_timer_start(&a->timer, record_alone_on_time, 0, 0); /* not from within a callback of the session */
}

static void record_alone_on_closed(void *arg)
{
    struct alone *a = arg;
    a->session = NULL;
    a->closed = true;
}

/* Where no agent keeps a list, none is made. */
static struct quarantine *record_alone_quarantine(uv_loop_t *loop, const char *dir)
{
    struct stat st;
    return quarantine_new(loop, stat(dir, &st) == 0 ? dir : "", NULL, NULL);
}

static struct jvm_session_config record_alone_config(const struct alone *a, const struct local_jvm *jvm)
{
    const struct record_settings *s = a->settings;
    int64_t chunk_s = s->duration_ns / NS_PER_SEC;
    chunk_s = chunk_s < RECORD_CHUNK_MIN_S   ? RECORD_CHUNK_MIN_S
              : chunk_s > RECORD_CHUNK_MAX_S ? RECORD_CHUNK_MAX_S
                                             : chunk_s;
    int64_t roll_s = s->duration_ns / NS_PER_SEC + RECORD_SPARE_S;
    roll_s = roll_s > RECORD_ROLL_S ? RECORD_ROLL_S : roll_s;
    return (struct jvm_session_config){.user = jvm_user_of(jvm->pid),
                                       .tmp_dir = s->tmp_dir,
                                       .dist = s->dist,
                                       .events = s->options,
                                       .interval_ns = chunk_s * NS_PER_SEC,
                                       .first_ns = chunk_s * NS_PER_SEC,
                                       .roll_ns = roll_s * NS_PER_SEC,
                                       .headroom = JVM_HEADROOM_DEFAULT,
                                       .untested = s->untested,
                                       .quarantine = a->quarantine};
}

static int record_alone_result(const struct alone *a, const struct local_jvm *jvm, struct err *err)
{
    if (a->failed.code) {
        *err = a->failed;
        return a->failed.code;
    }
    if (a->spool->chunks)
        return 0;
    if (a->begun)
        return err_set(err, -EIO, "process %d ended, or answered too late: nothing was recorded%s%s", (int)jvm->pid,
                       a->reason[0] ? ": " : "", a->reason);
    if (a->progress->interrupted)
        return err_set(err, -EIO, "interrupted before the first sample");
    return err_set(err, -ENOTSUP, "process %d is not profiled: %s; see smolder doctor %d", (int)jvm->pid,
                   a->reason[0] ? a->reason : "it did not answer in time", (int)jvm->pid);
}

int record_alone(struct local *l, const struct local_jvm *jvm, const struct record_settings *s,
                 struct record_progress *progress, struct spool *spool, struct err *err)
{
    static const struct jvm_session_events events = {
        .chunk = record_alone_on_chunk, .state = record_alone_on_state, .closed = record_alone_on_closed};
    struct alone a = {.settings = s, .progress = progress, .spool = spool, .since_ns = clock_wall_ns()};
    a.quarantine = record_alone_quarantine(local_loop(l), s->storage_path);
    uv_timer_init(local_loop(l), &a.timer);
    a.timer.data = &a;
    uv_timer_start(&a.timer, record_alone_on_time, RECORD_PATIENCE_MS, 0);
    progress->interrupt = record_alone_close;
    progress->arg = &a;
    const struct jvm_session_config config = record_alone_config(&a, jvm);
    a.session = jvm_session_open(local_loop(l), local_priv(l), (struct jvm_id){jvm->pid, jvm->start_time}, &config,
                                 &events, &a);
    const int code = local_run(l, &a.closed, err);
    quarantine_free(a.quarantine);
    uv_close((uv_handle_t *)&a.timer, NULL);
    uv_run(local_loop(l), UV_RUN_NOWAIT);
    return code < 0 ? code : record_alone_result(&a, jvm, err);
}
