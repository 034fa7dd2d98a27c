/* Durations as Go writes them: "1h30m", "1.5s", "100ms", "-2us", "0". Nanoseconds in int64_t.
 * Source: spec alloy-language §3.7; units ns us µs μs ms s m h; days are not accepted.
 */
#pragma once

#include <stdint.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/str.h"

/* -EINVAL with Go's texts: `time: missing unit in duration "5"`. */
must_check int duration_parse(struct str s, int64_t *ret, struct err *err);
/* "1m0s", "1.5s", "100ms", "0s". */
void duration_print(int64_t ns, struct buf *out);
