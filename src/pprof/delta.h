/* What changed from one profile to the next, of profiles that count since the program's start: Go's allocations,
 * mutexes and blocking.
 *
 * Works on the encoded form, so that everything a profile says stays in it: mappings, addresses, inlined frames,
 * comments. Samples are known again by content, as identifiers are new in every profile: the functions, lines and
 * addresses of their stack, and their labels. Equal ones are summed. Of the named sample types the value of before is
 * taken away, others are passed through; a value that became less means that the program was started again, and counts
 * whole. Samples without any value are left out, and with them what only they refer to. The duration becomes the time
 * since the profile before.
 *
 * Bytes are untrusted: everything is bounded. What is kept from one profile to the next are the keys and values of its
 * stacks. Any thread, one at a time. Format: profile.proto of google/pprof.
 */
#pragma once

#include <stdbool.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/str.h"

/* Of each: samples, strings, locations, functions. */
enum { PPROF_DELTA_ITEMS_MAX = 1 << 20 };

struct pprof_delta;

/* `types`: names of sample types, NULL-terminated, static. */
struct pprof_delta *pprof_delta_new(const char *const *types);
void pprof_delta_free(struct pprof_delta *d); /* NULL is fine */

/* Takes a profile, plain protobuf, and appends what changed to `out`; *ret_any is false where there is nothing to tell:
 * for the first one, which has nothing before it, and where nothing changed. After a failure the next one is a first
 * one. -EBADMSG: damaged; -E2BIG: too large. */
must_check int pprof_delta_take(struct pprof_delta *d, struct str profile, struct buf *out, bool *ret_any,
                                struct err *err);
