/* Namespaces of another process.
 *
 * Entering one requires CAP_SYS_ADMIN, here and in the user namespace that owns it; being in it already requires
 * nothing. Source: setns(2), namespaces(7).
 */
#pragma once

#include "base/err.h"
#include "os/pidref.h"

/* This process, which must have one thread, gets namespace `name` ("net", "ipc") of process `p`, by a descriptor of
 * /proc/PID/ns, which requires ptrace(2) access. 0 where both are in the same one. -EPERM without the capability. */
must_check int namespace_enter(const struct pidref *p, const char *name, struct err *err);
