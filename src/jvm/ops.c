#include "jvm/ops.h"

#include <stdlib.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/mem.h"
#include "base/str.h"
#include "jvm/operations.h"
#include "jvm/reading.h"
#include "jvm/scan.h"

enum { REQUEST_MAX = 64 << 10, REPLY_MAX = 64 << 10 };

const char *jvm_outcome_name(enum jvm_outcome o)
{
    static const char *const names[] = {"ok",      "gone",   "not-hotspot", "no-attach", "foreign",  "timeout",
                                        "refused", "failed", "no-room",     "lost",      "condemned"};
    return (size_t)o < ARRAY_LEN(names) ? names[o] : "unknown";
}

struct request_head {
    int64_t pid;
    uint64_t start_time, headroom;
    uint8_t untested;
    struct degraded degraded;
};

struct reply_head {
    int32_t outcome;
    uint8_t has_output, has_previous, has_socket, was_running;
    int64_t attach_ns, gap_ns;
    struct jvm_makeup makeup;
    struct degraded degraded;
    char note[FIT_NOTE_MAX];
};

/* The next NUL-terminated text; "" where the bytes end. */
static const char *next_text(const uint8_t **p, const uint8_t *end)
{
    const uint8_t *nul = memchr(*p, '\0', (size_t)(end - *p));
    if (!nul)
        return "";
    const char *text = (const char *)*p;
    *p = nul + 1;
    return text;
}

static void run(struct priv_call *call, jvm_operation *operation)
{
    struct request_head head;
    struct jvm_reply r = {.outcome = JVM_FAILED, .output_fd = -1, .previous_fd = -1, .socket_fd = -1};
    if (call->in_len >= sizeof head) {
        memcpy(&head, call->in, sizeof head);
        const uint8_t *p = call->in + sizeof head, *end = call->in + call->in_len;
        struct jvm_start s = {.id = {(pid_t)head.pid, head.start_time}};
        s.tmp_dir = next_text(&p, end);
        s.dist = next_text(&p, end);
        s.options = next_text(&p, end);
        s.condemned = next_text(&p, end);
        s.headroom = head.headroom;
        s.untested = head.untested;
        s.degraded = &head.degraded;
        operation(&s, call->deadline_ms, &r);
    }
    struct reply_head out = {
        .outcome = r.outcome,
        .has_output = r.output_fd >= 0,
        .has_previous = r.previous_fd >= 0,
        .has_socket = r.socket_fd >= 0,
        .was_running = r.was_running,
        .attach_ns = r.attach_ns,
        .gap_ns = r.gap_ns,
        .makeup = r.makeup,
        .degraded = r.degraded,
    };
    memcpy(out.note, r.note, sizeof out.note);
    buf_append(&call->out, &out, sizeof out);
    buf_append(&call->out, r.reason, strlen(r.reason) + 1);
    buf_append(&call->out, r.text, strlen(r.text) + 1);
    if (r.output_fd >= 0)
        call->fds[call->fd_count++] = r.output_fd;
    if (r.previous_fd >= 0)
        call->fds[call->fd_count++] = r.previous_fd;
    if (r.socket_fd >= 0)
        call->fds[call->fd_count++] = r.socket_fd;
}

static void op_start(struct priv_call *call)
{
    run(call, operation_start);
}

static void op_roll(struct priv_call *call)
{
    run(call, operation_roll);
}

static void op_dump(struct priv_call *call)
{
    run(call, operation_dump);
}

static void op_stop(struct priv_call *call)
{
    run(call, operation_stop);
}

static void op_metrics(struct priv_call *call)
{
    run(call, operation_metrics);
}

static void op_install(struct priv_call *call)
{
    run(call, operation_install);
}

const struct priv_op jvm_ops[JVM_OP_COUNT + 1] = {
    [JVM_OP_START] = {"smolder-start", op_start},      [JVM_OP_ROLL] = {"smolder-roll", op_roll},
    [JVM_OP_DUMP] = {"smolder-dump", op_dump},         [JVM_OP_STOP] = {"smolder-stop", op_stop},
    [JVM_OP_METRICS] = {"smolder-metric", op_metrics}, [JVM_OP_INSTALL] = {"smolder-instal", op_install},
    [JVM_OP_SCAN] = {"smolder-scan", jvm_op_scan},     [JVM_OP_READ] = {"smolder-read", jvm_op_read, true},
    [JVM_OP_CLOSE] = {"smolder-close", jvm_op_close},
};

/* From here on the main process's side. */

struct pending {
    jvm_done *done;
    void *arg;
    unsigned timeout_ms;
};

/* The child read a hostile process; what it says need not end. */
static void end_texts(struct reply_head *h)
{
    h->makeup.key[sizeof h->makeup.key - 1] = h->makeup.exe[sizeof h->makeup.exe - 1] = '\0';
    h->makeup.main[sizeof h->makeup.main - 1] = h->makeup.build[sizeof h->makeup.build - 1] = '\0';
    h->degraded.changes[sizeof h->degraded.changes - 1] = h->degraded.why[sizeof h->degraded.why - 1] = '\0';
    h->note[sizeof h->note - 1] = '\0';
}

static void decode(const uint8_t *out, size_t len, int *fds, size_t fd_count, struct jvm_reply *r)
{
    struct reply_head head;
    size_t taken = 0;
    if (len < sizeof head)
        return;
    memcpy(&head, out, sizeof head);
    const uint8_t *p = out + sizeof head, *end = out + len;
    r->outcome = head.outcome;
    snprintf(r->reason, sizeof r->reason, "%s", next_text(&p, end));
    snprintf(r->text, sizeof r->text, "%s", next_text(&p, end));
    r->attach_ns = head.attach_ns;
    r->gap_ns = head.gap_ns;
    r->was_running = head.was_running;
    end_texts(&head);
    r->makeup = head.makeup;
    r->degraded = head.degraded;
    memcpy(r->note, head.note, sizeof r->note);
    if (head.has_output && taken < fd_count)
        r->output_fd = TAKE_FD(fds[taken++]);
    if (head.has_previous && taken < fd_count)
        r->previous_fd = TAKE_FD(fds[taken++]);
    if (head.has_socket && taken < fd_count)
        r->socket_fd = TAKE_FD(fds[taken++]);
}

static void answered(void *arg, enum priv_result result, const uint8_t *out, size_t len, int *fds, size_t fd_count)
{
    struct pending *p = arg;
    struct jvm_reply r = {.outcome = JVM_FAILED, .output_fd = -1, .previous_fd = -1, .socket_fd = -1};
    switch (result) {
    case PRIV_DONE:
        snprintf(r.reason, sizeof r.reason, "invalid reply from the helper");
        decode(out, len, fds, fd_count, &r);
        break;
    case PRIV_TIMEOUT:
        r.outcome = JVM_TIMEOUT;
        snprintf(r.reason, sizeof r.reason, "no answer within %u ms", p->timeout_ms);
        break;
    case PRIV_CRASHED:
        snprintf(r.reason, sizeof r.reason, "the operation ended unexpectedly");
        break;
    case PRIV_LOST:
        r.outcome = JVM_LOST;
        snprintf(r.reason, sizeof r.reason, "the privileged helper was restarted");
        break;
    }
    p->done(p->arg, &r);
}

static uint64_t call(struct priv *priv, unsigned op, const struct jvm_start *s, unsigned timeout_ms, jvm_done *done,
                     void *arg)
{
    struct request_head head = {s->id.pid, s->id.start_time, s->headroom, s->untested, {"", ""}};
    cleanup_buf struct buf in = BUF_INIT(REQUEST_MAX);
    const char *texts[] = {s->tmp_dir, s->dist, s->options, s->condemned};
    if (s->degraded)
        head.degraded = *s->degraded;
    buf_append(&in, &head, sizeof head);
    for (size_t i = 0; i < ARRAY_LEN(texts); i++) {
        const char *text = texts[i] ? texts[i] : "";
        buf_append(&in, text, strlen(text) + 1);
    }
    struct pending *p = xcalloc(1, sizeof *p);
    *p = (struct pending){done, arg, timeout_ms};
    const struct priv_request r = {.op = op, .user = s->user, .in = in.p, .len = in.len, .timeout_ms = timeout_ms};
    uint64_t id = priv_call(priv, &r, answered, p);
    priv_owns(priv, id, free);
    return id;
}

uint64_t jvm_start(struct priv *p, const struct jvm_start *s, jvm_done *done, void *arg)
{
    return call(p, JVM_OP_START, s, JVM_START_MS, done, arg);
}

uint64_t jvm_roll(struct priv *p, const struct jvm_start *s, jvm_done *done, void *arg)
{
    return call(p, JVM_OP_ROLL, s, JVM_START_MS, done, arg);
}

uint64_t jvm_dump(struct priv *p, const struct jvm_start *s, jvm_done *done, void *arg)
{
    return call(p, JVM_OP_DUMP, s, JVM_COMMAND_MS, done, arg);
}

uint64_t jvm_stop(struct priv *p, const struct jvm_start *s, jvm_done *done, void *arg)
{
    return call(p, JVM_OP_STOP, s, JVM_STOP_MS, done, arg);
}

uint64_t jvm_metrics(struct priv *p, const struct jvm_start *s, jvm_done *done, void *arg)
{
    return call(p, JVM_OP_METRICS, s, JVM_COMMAND_MS, done, arg);
}

uint64_t jvm_install(struct priv *p, const struct jvm_start *s, jvm_done *done, void *arg)
{
    return call(p, JVM_OP_INSTALL, s, JVM_START_MS, done, arg);
}
