/* OpenJ9's attach protocol, with the target's privileges.
 *
 * Roles are reversed: the JVM connects. Who attaches listens on a TCP port of the loopback interface, writes a random
 * key and the port into a file that only the JVM's user can read (jvm/attach/openj9_files.h), and wakes the JVMs that
 * share the directory through a semaphore of System V, once for each. The JVM that finds such a file in its own
 * directory connects and shows the key; anybody else who connects is let go, and keeps nobody waiting. Then commands
 * are exchanged, each terminated by a NUL, until ATTACH_DETACHED. No signal is sent: SIGQUIT makes OpenJ9 write a dump.
 *
 * Port and semaphore must be those of the JVM's network and IPC namespaces (os/namespace.h). A JVM that has just been
 * woken sleeps 300 ms before it waits again.
 * Every wait ends at the deadline or with the process: the lock of other attachers is waited for two seconds at most,
 * because anybody can hold it; who is not answered within a second wakes the JVM again, because anybody can use up the
 * semaphore, and lets others attach in between.
 *
 * Blocking, for a child of the helper. Tried against a simulation only (tests/daemon/openj9.c). Facts: OpenJ9
 * openj9.internal.tools.attach.target.{Attachment,AttachHandler,WaitLoop},
 * com.ibm.tools.attach.attacher.OpenJ9VirtualMachine, runtime/port/sysvipc/j9shsem.c.
 */
#pragma once

#include <stdint.h>

#include "base/buf.h"
#include "base/err.h"
#include "jvm/attach/openj9_files.h"

/* One command, as HotSpot has it, and its reply (jvm/attach/openj9_words.h). */
struct openj9_call {
    const char *command, *const *args; /* three */
    struct buf *reply;
};

/* Attaches, makes the calls one after the other over one connection, and detaches. `deadline_ms`: CLOCK_MONOTONIC.
 * -ETIMEDOUT, -ESRCH; -ECONNRESET when the JVM closed the connection. */
must_check int openj9_exchange(struct openj9_files *f, int64_t deadline_ms, const struct openj9_call *calls, size_t n,
                               struct err *err);

/* Whether the semaphore can be used; nothing is touched. -ENOTSUP. */
must_check int openj9_check(const struct openj9_files *f, struct err *err);
