/* The privileged helper: a process forked before any thread exists, which runs operations in killable children.
 *
 * A malicious or dead mount under a target's root can block an open() forever, even with O_NONBLOCK. So everything that
 * touches another process (its /proc entries, its root, its sockets) is an operation: a plain blocking function that
 * runs in a child of the helper, with a deadline after which the child is killed. The main process only exchanges
 * messages and never blocks.
 *
 * priv does not know the operations: they are passed as a table before the fork. Payloads are opaque bytes; calls and
 * replies can carry file descriptors (SCM_RIGHTS). The deadline of a queued call starts when it is run.
 *
 * Calls are accounted to a user, and users are scheduled round-robin (priv/queue.h): a user with hundreds of calls,
 * with calls that hang, or with processes stuck in the kernel, which cannot be killed, does not delay others.
 *
 * The helper is pinged every PRIV_PING_MS. If it died or did not answer for PRIV_SILENT_MS, it is killed and replaced,
 * if priv_restartable(); its running calls end with PRIV_LOST, queued ones go to the new one. The helper exits with the
 * main process, after its running children have finished or met their deadlines.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <uv.h>

#include "base/buf.h"
#include "base/err.h"
#include "priv/queue.h"

enum { PRIV_CHILDREN = QUEUE_BUSY, PRIV_CHILDREN_MAX = QUEUE_ALL, PRIV_SLOW_MS = 500 };
enum { PRIV_FDS_MAX = 4, PRIV_PAYLOAD_MAX = 8 << 20 };
enum { PRIV_PING_MS = 5000, PRIV_SILENT_MS = 10000 };
/* The number of the helper's socket in a process that was started anew. */
enum { PRIV_SOCKET = 3 };

/* One call as its operation sees it, inside the child. */
struct priv_call {
    const uint8_t *in;
    size_t in_len;
    int in_fds
        [PRIV_FDS_MAX]; /* that came with the call; no other process of ours has them open any more, unless the caller kept them */
    size_t in_fd_count;
    struct buf out;        /* the reply; whatever is in it at priv_flush() or on return is delivered */
    int fds[PRIV_FDS_MAX]; /* to pass back with the reply; closed after sending */
    size_t fd_count;
    int64_t deadline_ms; /* CLOCK_MONOTONIC, when the child will be killed */
    /* Of an operation whose child stays (priv_op.again): what is left to do once the reply is on its way. Nobody waits for it, but the next
     * call of that child, which is killed at its deadline should this not end. */
    void (*after)(struct priv_call *call);
    void *channel; /* private */
};
/* Sends what is in `out` so far, so that it survives a kill at the deadline. */
void priv_flush(struct priv_call *call);
/* Inside an operation: what to undo should the deadline come first. It runs in a signal handler, so only async-signal-safe calls
 * (unlinkat, close, write); NULL takes it back. At the deadline a child gets SIGTERM, runs this and ends; SIGKILL follows 500 ms later.
 * A child whose helper was killed does the same by its own alarm (SIGALRM), so an operation leaves ITIMER_REAL alone. */
void priv_on_deadline(void (*cleanup)(void *arg), void *arg);

struct priv_op {
    const char *name; /* for messages: "attach" */
    void (*run)(struct priv_call *call);
    /* Its child stays a while for the next call of this operation with the same `user` and `ids`: for what is called every few seconds, since a
     * fork costs more than most calls. Whatever rights it gave up stay given up. */
    bool again;
};
/* How long such a child waits, and how many may. */
enum { PRIV_LINGER_MS = 20000, PRIV_IDLE_MAX = 4 };

struct priv;

/* Forks the helper. Call before the loop and any thread exist. `ops` is static, NULL-name terminated. */
must_check int priv_start(const struct priv_op *ops, struct priv **ret, struct err *err);
/* How to start another one: this program's own file is executed with these arguments (static, NULL at the end), and has to call
 * priv_serve() at once. Not a fork: by then there are threads. */
void priv_restartable(struct priv *p, const char *const *argv);
_Noreturn void priv_serve(const struct priv_op *ops);
/* Attaches the main end to the loop; `lost` is called should the helper die or fall silent, and told whether there is a new one. */
must_check int priv_attach(struct priv *p, uv_loop_t *loop, void (*lost)(void *arg, bool replaced), void *arg,
                           struct err *err);
/* True while the helper is there and answers. */
bool priv_healthy(const struct priv *p);
/* Ends the helper and waits for it a little; frees. */
void priv_stop(struct priv *p);

enum priv_result {
    PRIV_DONE,    /* the operation returned; the reply is whole */
    PRIV_TIMEOUT, /* killed at its deadline; the reply is what it had flushed */
    PRIV_CRASHED, /* the child died; the reply is what it had flushed */
    PRIV_LOST,    /* the helper is gone, and whether the operation was run nobody knows */
};
/* Called once per call, on the loop. `out` is borrowed; fds become the callee's to close (set taken ones to -1: the rest is closed). */
typedef void priv_done(void *arg, enum priv_result result, const uint8_t *out, size_t len, int *fds, size_t fd_count);

struct priv_request {
    unsigned op;   /* its number in the table */
    uint64_t user; /* on whose account (priv/queue.h) */
    uint64_t ids;  /* as whom, a number of the operation's own making; see priv_op.again */
    const void *in;
    size_t len;     /* copied */
    const int *fds; /* duplicated */
    size_t fd_count;
    unsigned timeout_ms;
};
/* Returns a call id. */
uint64_t priv_call(struct priv *p, const struct priv_request *r, priv_done *done, void *arg);
/* The callback will not be called any more; the operation itself goes on to its end or deadline. */
void priv_forget(struct priv *p, uint64_t call);
/* `release` is called on the call's `arg` when the call is over: answered (after the callback), forgotten or priv stopped. */
void priv_owns(struct priv *p, uint64_t call, void (*release)(void *arg));
