/* The helper process: receives calls from one socket, runs each in a child, returns replies. Private to this folder. */
#pragma once

#include "priv/call.h"

/* How long a child that was asked to end (SIGTERM) may clean up before SIGKILL, and how long after that it is waited
 * for: one that is stuck in the kernel is then abandoned: its caller hears of that, and of its end. */
enum { HELPER_CLEANUP_MS = 500, HELPER_REAP_MS = 250 };

/* Makes this process, just forked, one of its own: named `name`, deaf to the signals that end the main process, with no
 * descriptor above stderr but `low` and `high` (which may be one), and with no capability that neither an operation nor
 * ending its child needs. */
void helper_detach(int low, int high, const char *name, const struct priv_op *ops);

/* Serves `sock` until its other end closes and the last child ended. Everything above stderr but `sock` is closed. */
_Noreturn void helper_run(int sock, const struct priv_op *ops);
