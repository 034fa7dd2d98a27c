/* Parses a point in time from the command line. */
#pragma once

#include <stdint.h>

#include "base/err.h"

/* RFC 3339 ("2026-01-31T12:00:00Z", with a fraction or an offset if need be) or seconds since 1970, with a fraction if
 * need be, in nanoseconds. "" leaves *ret alone. -EINVAL names the flag. */
must_check int time_read(const char *flag, const char *text, int64_t *ret, struct err *err);
