/* Reads a recording while the profiler writes it: finished chunks in order, releasing their space.
 *
 * The writer is the target, so all bytes are untrusted: offsets are checked against the file, a chunk is limited to
 * RECORDING_CHUNK_MAX, and a copy is returned. A chunk is finished if its header is (checkpoint offset set, size not
 * the placeholder) and either the magic of the next chunk follows, or the writer is done, or the header was identical
 * in two polls: the header is rewritten with one pwrite that may straddle a page. Consumed bytes are punched out, which
 * also tells a later agent where to begin.
 *
 * The descriptor is a regular file on a local file system (checked by the operation that opened it), so that reading
 * does not wait for a server; but it may wait for the writer, so reading and punching belong into a child of the helper
 * (jvm/operation/reading.h).
 * Facts: spec jfr-asprof §1.1, §1.9, §4.12; async-profiler flightRecorder.cpp.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "jfr/chunk.h"
#include "jfr/shared_chunk.h"

/* The profiler closes a chunk at the first tick of a second after it got `chunksize` long, which is 4 MB: this leaves
 * room for a second in which it writes three times as much. */
enum { RECORDING_CHUNK_MAX = 16 << 20 };

struct recording {
    int fd;                        /* owned; -1: none */
    uint64_t at;                   /* where the first unconsumed chunk begins */
    uint64_t punched;              /* what lies before was given back */
    uint8_t seen[JFR_HEADER_SIZE]; /* the header there at the last poll */
    bool looked;
    /* at the last poll the chunk there was not: while nothing is written, there is nothing more to see */
    bool unfinished;
};
#define RECORDING_INIT ((struct recording){.fd = -1})

enum recording_result {
    RECORDING_WAITING, /* nothing finished yet */
    RECORDING_CHUNK,   /* one chunk handed out */
    RECORDING_DROPPED, /* a chunk too big to hold was skipped */
    RECORDING_BROKEN,  /* not a recording, or torn: nothing more will come of it */
    RECORDING_END,     /* the writer is done and all finished chunks were handed out */
};

/* The next finished chunk, with its bytes and times (which are mended if the clock was set meanwhile). `ended`:
 * nobody writes any more. `*ret` is set, to a new reference, with RECORDING_CHUNK only; r->unfinished then tells
 * whether the one behind it is being written: another look now would find nothing. */
must_check enum recording_result recording_next(struct recording *r, bool ended, struct jfr_chunk **ret);

/* Gives the space of all consumed chunks back. Where the file system cannot, the recording keeps growing until its
 * session ends. */
void recording_punch(struct recording *r);

/* Is there an unfinished chunk that will be lost with the file? For counting what a killed JVM took with it. */
bool recording_has_tail(const struct recording *r);

/* For a recording of an earlier agent: skips what that one consumed. -EBADMSG when no chunk follows the zeros. */
must_check int recording_find_first(struct recording *r, struct err *err);

/* A recording belongs to the agent that reads it, for as long as that holds the descriptor (flock(2), which goes with
 * it through SCM_RIGHTS and ends with the process). False when it is another's. */
must_check bool recording_claim(int fd);
/* Lets whoever finds it running take it over: this agent, or the next. */
void recording_release(const struct recording *r);

/* Do both name the same file? */
bool recording_is(const struct recording *r, int fd);

void recording_done(struct recording *r);
