/* Times in parameters of Pyroscope's older API: "now", "now-1h", "20260131", seconds, ms, µs or ns since 1970 by their
 * number of digits. Source: spec store-query §2.2.
 */
#pragma once

#include <stdint.h>

#include "base/str.h"

/* ns since 1970; anything that is no time is `now_ns`. */
int64_t time_text_parse(struct str text, int64_t now_ns);
