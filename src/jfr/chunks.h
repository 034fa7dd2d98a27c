/* The chunks of a recording in memory, in file order: those that can be read come out, damaged places are named and
 * stepped over.
 *
 * A recording is a plain row of chunks, of one session or of several put together. Where no such chunk stands, the
 * reading goes on at the next header; what lies between is reported as one bad chunk. The JDK puts a copy of the
 * header into a chunk each second: those of a bad chunk are no chunks. Nothing is copied:
 *
 *     struct jfr_chunks it = jfr_chunks_of(bytes, len);
 *     int more;
 *     while ((more = jfr_chunks_next(&it, &chunk, &err)) != 0)
 *         if (more > 0 && conversion_add(c, chunk.p, chunk.n, &err) < 0)
 *             jfr_chunks_refused(&it);
 *
 * Spec: jfr-asprof §1.1, §1.10.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "base/str.h"
#include "jfr/chunk.h"

/* A header behind which nothing could be read, to know its copies by. */
struct jfr_bad_chunk {
    bool is;
    uint64_t at; /* byte of the recording */
    uint8_t header[JFR_HEADER_SIZE];
};

struct jfr_chunks {
    const uint8_t *start, *end;
    const uint8_t *at;   /* where the next chunk is expected; at - start of len is done */
    const uint8_t *last; /* the chunk handed out last */
    size_t spare;        /* bytes that may still be looked at a second time */
    /* Who reads piece by piece carries these over. */
    uint64_t skipped; /* bytes of the recording in front of `start` */
    struct jfr_bad_chunk bad;
};

struct jfr_chunks jfr_chunks_of(const void *bytes, size_t len);

/* Does anything in there look like the header of a chunk? */
bool jfr_chunks_any(const void *bytes, size_t len);

/* 1 and the next finished chunk, header included; 0 at the end; -EBADMSG with a sentence that says where and why
 * there is none, and then the call after goes on behind it. */
must_check int jfr_chunks_next(struct jfr_chunks *it, struct str *ret, struct err *err);

/* The beginning of that, for who holds a part of the recording and needs the next chunk whole: steps over copies of
 * the bad chunk's header; true where there were any. */
bool jfr_chunks_skip_copies(struct jfr_chunks *it);

/* The chunk handed out last is damaged inside: its size may be wrong as well, so headers are looked for within it. A
 * recording is walked twice at most, however often this is called. */
void jfr_chunks_refused(struct jfr_chunks *it);
