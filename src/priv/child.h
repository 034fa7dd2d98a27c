/* Runs one operation in a child process. Private to this folder. */
#pragma once

#include <sys/types.h>

#include "base/err.h"
#include "priv/call.h"
#include "priv/wire.h"

/* Forks; in the child runs `op` on a copy of the call's bytes, with its descriptors, and ends. *sock gets the helper's
 * end, *pidfd names the child. A call with descriptors does not begin before child_go(): once the helper has closed its
 * own, the child's are the last ones, and what closing them costs is its affair. */
must_check int child_start(const struct priv_op *op, const struct frame_in *in, int64_t deadline_ms, pid_t *pid,
                           int *pidfd, int *sock);
void child_go(int sock);
