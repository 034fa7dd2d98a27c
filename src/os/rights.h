/* Switches this process to the privileges of another process, so that an operation on a target cannot do more than the
 * target.
 *
 * A path under the target's control is dangerous for a process with more privileges: a bind mount or a moved directory
 * redirects a privileged open, chmod or unlink to a file of root, whatever was checked before. So a child of the helper
 * opens what needs privilege (/proc/PID/root, descriptors below /proc/PID), permanently becomes the target's user, and
 * only then resolves, creates, links, connects, renames or deletes. Access the kernel denies to that user is denied.
 *
 * IDs are the kernel's, as seen in our user namespace: root of a user namespace is the unprivileged user it maps to.
 * Root of the host and root of a container without a user namespace stay UID 0, but without capabilities.
 * Source: credentials(7), capabilities(7), user_namespaces(7), PR_SET_NO_NEW_PRIVS in prctl(2).
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/err.h"
#include "base/str.h"

struct rights {
    uid_t uid; /* effective */
    gid_t gid;
    gid_t *groups; /* supplementary; owned */
    size_t group_count;
};

/* Reads them from the text of /proc/PID/status. -EBADMSG where it has none. */
must_check int rights_parse(struct str status, struct rights *ret, struct err *err);
void rights_done(struct rights *r);
#define cleanup_rights __attribute__((cleanup(rights_done)))

/* Are both the same user with the same groups? */
must_check bool rights_equal(const struct rights *a, const struct rights *b);

/* Makes them those of this process, which must have one thread: for good, with no capability in any set, no_new_privs,
 * and closed to ptrace(2) by that user. -EPERM when they are not to be had (an agent that is no root, and a target of
 * another user). Whatever it returns, the process may not go on as if nothing had happened: on failure it has lost some
 * rights, and should end. */
must_check int rights_become(const struct rights *r, struct err *err);

/* Keeps of this process's capabilities only these, bits of RIGHTS_CAP(CAP_…) (linux/capability.h), none of them
 * inheritable; the IDs stay. For a process with one thread. */
#define RIGHTS_CAP(number) (1ULL << (number))
must_check int rights_limit(uint64_t capabilities);
/* Makes those of them that this process has, and no others, inheritable and ambient: what an ordinary user executes has
 * them. 0: none. For a process with one thread; negative errno. */
must_check int rights_pass_on(uint64_t capabilities);
/* Whether all of these are in force. */
must_check bool rights_have(uint64_t capabilities);
