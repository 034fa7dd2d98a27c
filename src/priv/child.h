/* One operation in a process of its own. Private to this folder. */
#pragma once

#include <sys/types.h>

#include "priv/priv.h"

/* Forks; in the child runs `op` on a copy of the call's bytes and ends. *sock gets the helper's end, *pidfd names the child. */
must_check int child_start(const struct priv_op *op, const uint8_t *in, size_t len, int64_t deadline_ms, pid_t *pid,
                           int *pidfd, int *sock);
