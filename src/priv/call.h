/* One call of the privileged helper, and an operation, as those who run it see them: the helper and its children
 * (priv/priv.h). */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"

enum { PRIV_FDS_MAX = 4, PRIV_PAYLOAD_MAX = 8 << 20 };

/* One call as its operation sees it, inside the child. */
struct priv_call {
    const uint8_t *in;
    size_t in_len;
    /* That came with the call; no other process of ours has them open any more, unless the caller kept them. */
    int in_fds[PRIV_FDS_MAX];
    size_t in_fd_count;
    struct buf out;        /* the reply; whatever is in it at priv_flush() or on return is delivered */
    int fds[PRIV_FDS_MAX]; /* to pass back with the reply; closed after sending */
    size_t fd_count;
    int64_t deadline_ms; /* CLOCK_MONOTONIC, when the child will be killed */
    /* Of an operation whose child stays (priv_op.again): what is left to do once the reply is on its way. Nobody waits
     * for it, but the next call of that child, which is killed at its deadline should this not end. */
    void (*after)(struct priv_call *call);
    void *channel; /* private */
};
/* Sends what is in `out` so far, so that it survives a kill at the deadline. */
void priv_flush(struct priv_call *call);
/* Inside an operation: what to undo should the deadline come first. It runs in a signal handler, so only
 * async-signal-safe calls (unlinkat, close, write); NULL takes it back. At the deadline a child gets SIGTERM, runs this
 * and ends; SIGKILL follows 500 ms later. A child whose helper was killed does the same by its own alarm (SIGALRM), so
 * an operation leaves ITIMER_REAL alone. */
void priv_on_deadline(void (*cleanup)(void *arg), void *arg);

struct priv_op {
    const char *name; /* for messages: "attach" */
    void (*run)(struct priv_call *call);
    /* Its child stays a while for the next call of this operation with the same `user` and `ids`: for what is called
     * every few seconds, since a fork costs more than most calls. Whatever rights it gave up stay given up. */
    bool again;
    /* What the child keeps of the helper's capabilities: bits of RIGHTS_CAP() (os/rights.h). */
    uint64_t capabilities;
    /* What a call may bring, for the main process is not trusted: bytes and time (0 = whatever priv carries), files.
     * One with more is not run (PRIV_CRASHED). */
    uint32_t in_max, max_ms;
    uint8_t fds_max;
};
/* How long such a child waits, and how many may. */
enum { PRIV_LINGER_MS = 20000, PRIV_IDLE_MAX = 4 };

/* How a call ended. */
enum priv_result {
    PRIV_DONE,    /* the operation returned; the reply is whole */
    PRIV_TIMEOUT, /* killed at its deadline; the reply is what it had flushed */
    PRIV_CRASHED, /* the child died; the reply is what it had flushed */
    PRIV_LOST,    /* the helper is gone, and whether the operation was run nobody knows */
};
