/* The guard: parent of the helper, the only other process that keeps the privileges of the start. Private to this
 * folder.
 *
 * The main process gives up its privileges, so it cannot start another helper. The guard can: it is forked from the
 * main process before any thread exists, reads single bytes, and touches nothing of a target. Each byte of the first
 * socket ends the present helper, if there is one, and starts another, whose socket is the answer; those of the second
 * are about programs (priv/programs.h). A guard that died cannot be replaced; the helper of that time goes on.
 */
#pragma once

#include "base/err.h"
#include "priv/call.h"
#include "priv/programs.h"

/* Serves both sockets until the other end of the first one closes and the last helper ended. Everything else above
 * stderr is closed. */
_Noreturn void guard_run(int sock, int programs, const struct priv_op *ops, const struct priv_program *table);

/* For the main process, with its end. Never waits: */
must_check int guard_ask(int sock);
/* The socket of the new helper; -EAGAIN: no answer yet; -ENOMEM: it could not be started; -EPIPE: the guard died. */
must_check int guard_take(int sock);
