/* Users of this host, by name or number, as in /etc/passwd.
 *
 * The file is read directly: name services load libraries into the process, and may ask a server. A user that only such
 * a service knows is given by number. Source: passwd(5).
 */
#pragma once

#include <sys/types.h>

#include "base/err.h"

struct host_user {
    char name[64]; /* "" = a number without a name */
    uid_t uid;
    gid_t gid;
};

/* By "NAME", "UID" or "UID:GID"; a UID that the file does not have gets the GID of the same number. -ENOENT: no such
 * name; -EINVAL: neither a name nor a number. */
must_check int account_find(const char *text, struct host_user *ret, struct err *err);
