/* --store.keep, --store.max-size and --store.cache: how much the embedded store keeps. */
#pragma once

#include <stdint.h>

#include "base/err.h"

/* "7d", "36h", "1w", "1d12h": weeks and days, then what lang/duration.h reads. At least a minute. Seconds. */
must_check int store_keep_parse(const char *text, int64_t *ret, struct err *err);
/* "1GiB": base/byte_size.h. At least a MiB. */
must_check int store_size_parse(const char *text, int64_t *ret, struct err *err);
/* "16MiB"; "0" = -1, which is none. Any size. */
must_check int store_cache_parse(const char *text, int64_t *ret, struct err *err);
