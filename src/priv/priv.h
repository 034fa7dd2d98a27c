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
 *
 * The helper and its parent, the guard, which starts another one when asked (priv/guard.h), keep those privileges of
 * priv_start() that the operations need (struct priv_op). The main process can drop its own afterwards: it signals
 * neither, and neither trusts what it sends.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <uv.h>

#include "base/err.h"
#include "priv/call.h"
#include "priv/programs.h"
#include "priv/queue.h"

enum { PRIV_CHILDREN = QUEUE_BUSY, PRIV_CHILDREN_MAX = QUEUE_ALL, PRIV_SLOW_MS = 500 };
enum { PRIV_PING_MS = 5000, PRIV_SILENT_MS = 10000 };
struct priv;

/* Forks the guard and the helper. Call before the loop and any thread exist. `ops` is static, NULL-name terminated, and
 * so is `programs`, which may be NULL. */
must_check int priv_start(const struct priv_op *ops, const struct priv_program *programs, struct priv **ret,
                          struct err *err);
/* From now on a helper that is lost is replaced. */
void priv_restartable(struct priv *p);
/* Attaches the main end to the loop; `lost` is called should the helper die or fall silent, and told whether there
 * will be a new one. */
must_check int priv_attach(struct priv *p, uv_loop_t *loop, void (*lost)(void *arg, bool replaced), void *arg,
                           struct err *err);
/* True while the helper is there and answers. */
bool priv_healthy(const struct priv *p);

/* Any thread; these block for the time of a fork. Starts that program of the table, after it has ended the one that
 * runs; `sock` is owned by the caller. -EPIPE: the guard is gone, so nothing can be started any more. */
must_check int priv_program_start(struct priv *p, unsigned number, int *sock, pid_t *pid, struct err *err);
/* Kills it, or, with `closed`, lets it end by itself for a moment. -EPIPE: as above, and it ends with the guard. */
must_check int priv_program_end(struct priv *p, unsigned number, bool closed, struct child_end *ret);

/* Ends the helper and waits for it a little; frees. */
void priv_stop(struct priv *p);

/* Called once per call, on the loop. `out` is borrowed; fds become the callee's to close (set taken ones to -1: the
 * rest is closed). */
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
/* `release` is called on the call's `arg` when the call is over: answered (after the callback), forgotten or priv
 * stopped. */
void priv_owns(struct priv *p, uint64_t call, void (*release)(void *arg));
