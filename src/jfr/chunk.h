/* The fixed header in front of every JFR chunk, and whether the writer is done with the chunk.
 *
 * A recording is a plain row of chunks, each with its own metadata and constant pools. All numbers of the header are
 * big-endian and of fixed width; everything after it is compressed. Offsets are relative to the chunk.
 * Sources: jdk.jfr.internal.consumer.ChunkHeader (JDK), flightRecorder.cpp (async-profiler);
 * spec jfr-asprof §1.1, §1.9.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"

enum { JFR_HEADER_SIZE = 68 };

struct jfr_header {
    uint64_t size;       /* header included */
    uint64_t checkpoint; /* offset of the last constant pool event */
    uint64_t metadata;   /* offset of the valid metadata event */
    int64_t start_ns;    /* since 1970 */
    int64_t duration_ns;
    uint64_t start_ticks;      /* the clock of all event times */
    uint64_t ticks_per_second; /* > 0 */
    unsigned major;            /* version */
};

/* Does a recording begin here, of whatever version? Then that: 2.0 and 2.1 (JDK 11 and later, async-profiler), 1.0 (JDK
 * 9 and 10), which are read; 0.9 (Oracle's JDK 7 and 8), which is another format. */
struct jfr_version {
    unsigned major, minor;
    bool known; /* it is read */
};
bool jfr_version_of(const void *bytes, size_t len, struct jfr_version *ret);

/* Checked against `len`, the bytes at hand; -EBADMSG with the reason.
 *
 * A chunk that the JDK did not finish, as the JVM was killed, may still be read: since 14 the recorder makes it whole
 * each second, the header says up to where, and that is what `size` is then. async-profiler's has no constant pools
 * until it is finished. */
must_check int jfr_header_read(const void *chunk, size_t len, struct jfr_header *ret, struct err *err);

/* How a chunk stands in a recording that is still being written, by what frames it alone: whether it can be read is
 * jfr_header_read()'s affair. Looks at JFR_HEADER_SIZE bytes; the header is given where one is there. */
enum jfr_framing {
    JFR_NO_CHUNK, /* no chunk begins here */
    JFR_CHUNK_OPEN,
    JFR_CHUNK_CLOSED,
    JFR_CHUNK_IMPOSSIBLE, /* closed, but not with this size: half rewritten, or hostile */
};
/* The header is rewritten in place when a chunk ends: who tails a live file should believe two equal reads only. */
enum jfr_framing jfr_header_framing(const uint8_t *header, struct jfr_header *ret);

/* A chunk ends where the next one begins, also by the ticks, which nobody sets. Where the wall clock was set
 * meanwhile its header says something else: then the duration becomes what the ticks of both say. */
void jfr_header_mend_duration(struct jfr_header *h, const struct jfr_header *next);
/* Writes that into the bytes of a chunk. */
void jfr_header_put_duration(uint8_t *chunk, int64_t duration_ns);
/* When the chunk begins and ends, clamped, so that nobody who adds or subtracts them needs to fear an overflow; end
 * >= start. */
void jfr_header_span(const struct jfr_header *h, int64_t *start_ns, int64_t *end_ns);

/* A span of ticks in nanoseconds. */
int64_t jfr_ticks_to_ns(const struct jfr_header *h, int64_t ticks);
