/* Whose a process is, for budgets: what one of them uses up is taken from nobody else (priv/queue.h, jvm/session/budget.h).
 *
 * A local user counts by uid, and with all that runs in user namespaces of his own making, however many subordinate ids he has there.
 * A container that root made counts by its namespace, for its processes may take any uid in it. The host's root is nobody: 0, which has
 * no budget. Source: user_namespaces(7), ioctl_ns(2), include/linux/proc_ns.h.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

/* Of a process, by what /proc/PID/{status,ns} say: calls that wait for nobody. One that is gone, or may not be looked at, is on the
 * account of the user that owns /proc/PID. */
uint64_t jvm_user_of(pid_t pid);

/* "user 1000", "container 4026532281" or "root", for a reason that a person reads; `ret` has JVM_USER_TEXT bytes. */
enum { JVM_USER_TEXT = 40 };
const char *jvm_user_text(uint64_t user, char ret[JVM_USER_TEXT]);

/* Does the process whose /proc/PID is open as `proc` see the file systems of the host or of the agent, not those of a container? */
bool jvm_sees_host(int proc);
