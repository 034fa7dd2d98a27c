/* Splits a profile into several with the same samples in all, for a server that limits the size of one.
 *
 * Works on the encoded bytes, so that whatever the profile holds is kept, also what profile.h has no place for
 * (addresses, mappings of other programs, unknown fields). A part holds the locations and functions its samples refer
 * to; strings that it does not use are empty, so that numbers stay valid. The time of part k is k milliseconds later:
 * servers take profiles of one series and time as copies of one.
 *
 * Blocks for tens of milliseconds: to be called in a worker. Format: profile.proto of google/pprof.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "base/str.h"

struct pprof_split_limits {
    size_t samples, bytes; /* of one part, not compressed; 0 = any */
    size_t parts;          /* at least so many, if there are as many samples */
};

struct pprof_part {
    uint8_t *pprof; /* gzip */
    size_t len, samples;
    int64_t time_nanos;
};
struct pprof_parts {
    struct pprof_part *items;
    size_t len;
    size_t samples_lost; /* each exceeds limits.bytes by itself */
};

enum { PPROF_PARTS_MAX = 256 };

/* -EBADMSG: damaged; -EMSGSIZE: larger than 64 MiB; -E2BIG: more parts than PPROF_PARTS_MAX. `ret` is to be done() on
 * success only. */
must_check int pprof_split(struct str profile, const struct pprof_split_limits *limits, struct pprof_parts *ret,
                           struct err *err);
void pprof_parts_done(struct pprof_parts *p);
