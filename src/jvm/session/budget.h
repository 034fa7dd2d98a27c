/* What the sessions of one user may take of the descriptors this process has: beyond its share a user's JVMs wait, and nobody else's do.
 *
 * A session holds its process, its recording and now and then an earlier one. A user may take no more than three times what is left, so
 * that a single one can have three quarters of all, and there is always something left for another. The API, the store and pushes have
 * a reserve that no session touches. The host's root is not held back (jvm/probe/user.h).
 *
 * Loop thread only: one table for all components, as there is one process.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"

enum { BUDGET_SESSION_FDS = 4, BUDGET_RESERVED_FDS = 256 };

/* How many descriptors this process may open, as getrlimit(2) says; for tests: another number, 0 = that again. */
void jvm_budget_limit(size_t descriptors);
/* -EMFILE with a reason a person reads when the user's share is used up. */
must_check int jvm_budget_take(uint64_t user, size_t descriptors, struct err *err);
void jvm_budget_give(uint64_t user, size_t descriptors);
