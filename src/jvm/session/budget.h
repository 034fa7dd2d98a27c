/* File descriptors per user: beyond its share the JVMs of a user wait, and no others.
 *
 * A session holds its process, its recording, sometimes an earlier recording, and the directory of its error report. A
 * user may hold at most three times what is left, that is three quarters of all if alone, which always leaves some for
 * others. The API, the store and pushes have a reserve that sessions cannot use. The host's root is not limited
 * (jvm/probe/user.h).
 *
 * Loop thread only: one table per process, for all components.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"

enum { BUDGET_SESSION_FDS = 5, BUDGET_RESERVED_FDS = 256 };

/* How many descriptors this process may open, as getrlimit(2) says; for tests: another number, 0 = that again. */
void jvm_budget_limit(size_t descriptors);
/* -EMFILE with a reason a person reads when the user's share is used up. */
must_check int jvm_budget_take(uint64_t user, size_t descriptors, struct err *err);
void jvm_budget_give(uint64_t user, size_t descriptors);
