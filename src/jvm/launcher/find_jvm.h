/* The process a word of the command line means: its number, "jps" for the only JVM, or the name of its main class or jar. */
#pragma once

#include <sys/types.h>

#include "base/err.h"

/* -ESRCH when none fits, -EINVAL when more than one does. */
must_check int find_jvm(const char *word, pid_t *ret, struct err *err);
