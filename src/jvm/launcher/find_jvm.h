/* Resolves the process argument of the command line: a PID, "jps" for the only JVM, or a main class or jar name. */
#pragma once

#include <sys/types.h>

#include "base/err.h"

/* -ESRCH when none fits, -EINVAL when more than one does. */
must_check int find_jvm(const char *word, pid_t *ret, struct err *err);
