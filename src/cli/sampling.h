/* Events of the command line as options of the profiler, with the defaults of pyroscope.java. */
#pragma once

#include "base/err.h"

#define SAMPLING_EVENTS "itimer,alloc,lock"

/* "itimer,alloc,wall" to "event=itimer,interval=10ms,alloc=512k,wall=…", to be freed. A CPU event, wall, alloc, lock,
 * nativemem and nativelock may be combined; "alloc=1m" sets an interval. -EINVAL names the event. */
must_check int sampling_options(const char *events, char **ret, struct err *err);
