#include "jvm/operation/client.h"

#include <stdlib.h>

#include "base/cleanup.h"
#include "base/mem.h"
#include "base/str.h"

const char *jvm_outcome_name(enum jvm_outcome o)
{
    static const char *const names[] = {"ok",      "gone",   "not-hotspot", "no-attach", "foreign",  "timeout",
                                        "refused", "failed", "no-room",     "lost",      "condemned"};
    return (size_t)o < ARRAY_LEN(names) ? names[o] : "unknown";
}

struct pending_call {
    jvm_done *done;
    void *arg;
    unsigned timeout_ms;
};

static void client_on_answer(void *arg, enum priv_result result, const uint8_t *out, size_t len, int *fds,
                             size_t fd_count)
{
    struct pending_call *p = arg;
    struct jvm_reply r = JVM_REPLY_INIT(JVM_FAILED);
    switch (result) {
    case PRIV_DONE:
        snprintf(r.reason, sizeof r.reason, "invalid reply from the helper");
        jvm_reply_decode(out, len, fds, fd_count, &r);
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

static uint64_t client_call(struct priv *priv, unsigned op, const struct jvm_request *request, unsigned timeout_ms,
                            jvm_done *done, void *arg)
{
    cleanup_buf struct buf in = BUF_INIT(JVM_REQUEST_MAX);
    jvm_request_encode(request, &in);
    struct pending_call *p = xcalloc(1, sizeof *p);
    *p = (struct pending_call){done, arg, timeout_ms};
    const struct priv_request r = {
        .op = op, .user = request->user, .in = in.p, .len = in.len, .timeout_ms = timeout_ms};
    uint64_t id = priv_call(priv, &r, client_on_answer, p);
    priv_owns(priv, id, free);
    return id;
}

uint64_t jvm_start(struct priv *p, const struct jvm_request *r, jvm_done *done, void *arg)
{
    return client_call(p, JVM_OP_START, r, JVM_START_MS, done, arg);
}

uint64_t jvm_roll(struct priv *p, const struct jvm_request *r, jvm_done *done, void *arg)
{
    return client_call(p, JVM_OP_ROLL, r, JVM_START_MS, done, arg);
}

uint64_t jvm_dump(struct priv *p, const struct jvm_request *r, jvm_done *done, void *arg)
{
    return client_call(p, JVM_OP_DUMP, r, JVM_COMMAND_MS, done, arg);
}

uint64_t jvm_stop(struct priv *p, const struct jvm_request *r, jvm_done *done, void *arg)
{
    return client_call(p, JVM_OP_STOP, r, JVM_STOP_MS, done, arg);
}

uint64_t jvm_metrics(struct priv *p, const struct jvm_request *r, jvm_done *done, void *arg)
{
    return client_call(p, JVM_OP_METRICS, r, JVM_COMMAND_MS, done, arg);
}

uint64_t jvm_look(struct priv *p, const struct jvm_request *r, jvm_done *done, void *arg)
{
    return client_call(p, JVM_OP_LOOK, r, JVM_COMMAND_MS, done, arg);
}

uint64_t jvm_install(struct priv *p, const struct jvm_request *r, jvm_done *done, void *arg)
{
    return client_call(p, JVM_OP_INSTALL, r, JVM_START_MS, done, arg);
}
