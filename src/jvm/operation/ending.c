#include "jvm/operation/ending.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "jvm/probe/exit_status.h"

struct ending_request {
    int64_t pid;
    uint64_t start_time;
};
_Static_assert(sizeof(struct ending_request) == JVM_ENDING_BYTES, "the table of operations limits it");

void jvm_op_ending(struct priv_call *call)
{
    struct ending_request rq;
    cleanup_pidref struct pidref p = PIDREF_INIT;
    int status;
    if (call->in_len != sizeof rq)
        return;
    memcpy(&rq, call->in, sizeof rq);
    if (pidref_open_ended((pid_t)rq.pid, rq.start_time, &p) == 0 && exit_status_of(&p, &status))
        buf_append(&call->out, &status, sizeof status);
}

struct pending_ending {
    jvm_ending_done *done;
    void *arg;
};

static void ending_answered(void *arg, enum priv_result result, const uint8_t *out, size_t len, int *fds,
                            size_t fd_count)
{
    const struct pending_ending *p = arg;
    int status = 0;
    (void)fds, (void)fd_count;
    const bool known = result == PRIV_DONE && len == sizeof status;
    if (known)
        memcpy(&status, out, sizeof status);
    p->done(p->arg, known, status);
}

uint64_t jvm_ending(struct priv *priv, uint64_t user, struct jvm_id id, jvm_ending_done *done, void *arg)
{
    const struct ending_request rq = {id.pid, id.start_time};
    struct pending_ending *pending = xcalloc(1, sizeof *pending);
    *pending = (struct pending_ending){done, arg};
    const struct priv_request call = {
        .op = JVM_OP_ENDING, .user = user, .in = &rq, .len = sizeof rq, .timeout_ms = JVM_ENDING_MS};
    const uint64_t call_id = priv_call(priv, &call, ending_answered, pending);
    priv_owns(priv, call_id, free);
    return call_id;
}
