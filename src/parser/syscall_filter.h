/* The system calls of the parser process: an allow-list that the kernel enforces (seccomp(2)).
 *
 * What remains is to compute, to have memory, and to talk through descriptors that are open already. Memory cannot be
 * executable. Anything else kills the process with SIGSYS, so that an attempt is seen: there is no call that opens a
 * path, makes a socket, starts a process or a program, sends a signal to another process, or reads one's memory.
 * Source: seccomp(2), and the calls glibc and musl make for malloc(3), abort(3) and clock_gettime(3).
 */
#pragma once

#include "base/err.h"

/* For good, for this thread, which must be the only one; needs no_new_privs. -ENOSYS or -EINVAL: a kernel without
 * it. */
must_check int syscall_filter_apply(struct err *err);
