#include "jvm/operation/users.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "jvm/operation/request.h"
#include "jvm/probe/user.h"

_Static_assert(sizeof(pid_t) * JVM_USERS_MAX == JVM_USERS_BYTES, "the table of operations limits it");

void jvm_op_users(struct priv_call *call)
{
    for (size_t i = 0; i + sizeof(pid_t) <= call->in_len; i += sizeof(pid_t)) {
        pid_t pid;
        memcpy(&pid, call->in + i, sizeof pid);
        const uint64_t user = jvm_user_of(pid);
        buf_append(&call->out, &user, sizeof user);
    }
}

struct pending_users {
    jvm_users_done *done;
    void *arg;
};

static void users_answered(void *arg, enum priv_result result, const uint8_t *out, size_t len, int *fds,
                           size_t fd_count)
{
    const struct pending_users *p = arg;
    const size_t n = result == PRIV_DONE ? len / sizeof(uint64_t) : 0;
    uint64_t *users = xcalloc(n + 1, sizeof *users);
    (void)fds, (void)fd_count;
    if (n)
        memcpy(users, out, n * sizeof *users);
    p->done(p->arg, users, n);
    free(users);
}

uint64_t jvm_users(struct priv *priv, const pid_t *pids, size_t n, jvm_users_done *done, void *arg)
{
    struct pending_users *pending = xcalloc(1, sizeof *pending);
    *pending = (struct pending_users){done, arg};
    /* On root's account: it waits for nobody, and whose it is, is what it finds out. */
    const struct priv_request call = {
        .op = JVM_OP_USERS, .in = pids, .len = n * sizeof *pids, .timeout_ms = JVM_USERS_MS};
    const uint64_t id = priv_call(priv, &call, users_answered, pending);
    priv_owns(priv, id, free);
    return id;
}
