/* The user a process is accounted to (priv/queue.h, jvm/session/budget.h).
 *
 * A local user is identified by UID, including all processes in user namespaces the user created, whatever subordinate
 * IDs they have. A container created by root is identified by its user namespace, because its processes may take any
 * UID in it. The host's root is 0, which has no limits. Source: user_namespaces(7), ioctl_ns(2),
 * include/linux/proc_ns.h.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

/* Of a process, by what /proc/PID/{status,ns} say: calls that wait for nobody. One that is gone, or may not be looked
 * at, is on the account of the user that owns /proc/PID. */
uint64_t jvm_user_of(pid_t pid);
/* Whether this process may look at it: else the helper is asked (jvm/operation/users.h). */
bool jvm_user_is_visible(pid_t pid);

/* "user 1000", "container 4026532281" or "root", for a reason that a person reads; `ret` has JVM_USER_TEXT bytes. */
enum { JVM_USER_TEXT = 40 };
const char *jvm_user_text(uint64_t user, char ret[JVM_USER_TEXT]);

/* Does the process whose /proc/PID is open as `proc` see the file systems of the host or of the agent, not those of a
 * container? */
bool jvm_sees_host(int proc);
