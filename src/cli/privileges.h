/* Gives up the privileges of the main process, once it has opened what needs them.
 *
 * Root becomes an ordinary user for good: real, effective and saved IDs, no supplementary groups, no capability in any
 * set, no_new_privs, no core dumps and closed to ptrace(2). The helper and its guard, forked before, keep what the
 * operations need (priv/priv.h). An ordinary user with capabilities (AmbientCapabilities= of a unit) loses those.
 */
#pragma once

#include <stdbool.h>

#include "base/err.h"
#include "os/account.h"

/* The user where none is named, and the number where there is no such user: nobody-like, but nobody else's. */
#define PRIVILEGES_USER "smolder"
enum { PRIVILEGES_NUMBER = 65532 };

struct privileges {
    struct host_user user; /* as whom the main process runs */
    bool drop;             /* it is another one than now */
    bool all_users;        /* the helper, started as whom this process is now, gets at the JVMs of all users */
    char warning[256];     /* why root stays root, for the log; "" = it does not, or never was */
};

/* Decides, and changes nothing. `user` "": PRIVILEGES_USER; where this process may not become that one (a container
 * with one user, or without CAP_SETUID), it stays root with a warning. A named one is an error then. */
must_check int privileges_plan(const char *user, struct privileges *ret, struct err *err);
/* It stays root after all: `why`, for the warning. */
void privileges_stay(struct privileges *p, const char *why);
/* Before any other thread exists: what is inherited by those. */
must_check int privileges_begin(struct err *err);
/* Does it, for all threads. */
must_check int privileges_drop(const struct privileges *p, struct err *err);
