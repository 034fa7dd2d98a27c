/* How a JVM ended (jvm/probe/exit_status.h), asked of the helper: the main process may not read it of other users'
 * processes. */
#pragma once

#include <stdbool.h>

#include "jvm/operation/request.h"
#include "priv/priv.h"

/* The longest the operation may take; the bytes of its call. */
enum { JVM_ENDING_MS = 1000, JVM_ENDING_BYTES = 16 };

/* `known`: the wait status was to be had. */
typedef void jvm_ending_done(void *arg, bool known, int status);
/* Returns priv's call id. */
uint64_t jvm_ending(struct priv *p, uint64_t user, struct jvm_id id, jvm_ending_done *done, void *arg);

/* The operation, for the table of the helper. */
void jvm_op_ending(struct priv_call *call);
