/* A pprof profile from bytes, plain or gzip: for the store, and for tests to look at what was written.
 *
 * Bytes are foreign: everything is bounded and an id that names nothing is an error. Decoding into symbols that hold
 * something already merges; the profile itself starts fresh. Format: profile.proto of google/pprof.
 */
#pragma once

#include <stddef.h>

#include "pprof/profile.h"

/* `max` bounds the inflated size: -EMSGSIZE beyond it. -EBADMSG for damage, -E2BIG where symbols are full. `ret` is to
 * be done() on success only and borrows `symbols`; what a failed decoding left in symbols stays there, unused. */
must_check int pprof_decode(const void *bytes, size_t len, size_t max, struct symbols *symbols, struct profile *ret,
                            struct err *err);
