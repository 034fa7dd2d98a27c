/* Descriptors of any kind. */
#pragma once

#include <stddef.h>

#include "base/err.h"

/* Writes all of it. Returns 0 or a negative errno. */
must_check int fd_write_all(int fd, const void *p, size_t n);
