/* Whom processes are accounted to (jvm/probe/user.h), asked of the helper: an ordinary user may not look at the
 * namespaces of other users' processes. */
#pragma once

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "priv/priv.h"

/* Processes of one call; the longest it may take; its most bytes. */
enum { JVM_USERS_MAX = 4096, JVM_USERS_MS = 2000, JVM_USERS_BYTES = JVM_USERS_MAX * 4 };

/* In the order of the call; borrowed. Fewer than asked for: nothing is known of the rest (no helper, too slow). */
typedef void jvm_users_done(void *arg, const uint64_t *users, size_t n);
/* `n` is at most JVM_USERS_MAX. Returns priv's call id; `done` is called once, later. */
uint64_t jvm_users(struct priv *p, const pid_t *pids, size_t n, jvm_users_done *done, void *arg);

/* The operation, for the table of the helper. */
void jvm_op_users(struct priv_call *call);
