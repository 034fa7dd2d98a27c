/* The guard: parent of the helper, the only other process that keeps the privileges of the start. Private to this
 * folder.
 *
 * The main process gives up its privileges, so it cannot start another helper. The guard can: it is forked from the
 * main process before any thread exists, reads single bytes from one socket, and touches nothing of a target. Each byte
 * ends the present helper, if there is one, and starts another, whose socket is the answer. A guard that died cannot be
 * replaced; the helper of that time goes on.
 */
#pragma once

#include "base/err.h"
#include "priv/call.h"

/* Serves `sock` until its other end closes and the last helper ended. Everything above stderr but `sock` is closed. */
_Noreturn void guard_run(int sock, const struct priv_op *ops);

/* For the main process, with its end. Never waits: */
must_check int guard_ask(int sock);
/* The socket of the new helper; -EAGAIN: no answer yet; -ENOMEM: it could not be started; -EPIPE: the guard died. */
must_check int guard_take(int sock);
