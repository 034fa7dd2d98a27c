/* Executes this program's own file as another process, which gets no memory of this one (it is not a fork), one
 * descriptor, and of the environment only what the dynamic linker and sanitizers need. Its signal mask is empty. Names
 * are bound at its start, because it may unmap libraries in which the linker would look for them later. */
#pragma once

#include <sys/types.h>

#include "base/err.h"

/* `sock` is descriptor `as` in there; what else is not close-on-exec stays open, too. `argv` ends with NULL. The child
 * is to be waited for. Negative errno. */
must_check int self_exec_start(char *const *argv, int sock, int as, pid_t *ret);
