/* The chunks of a recording from a file (mapped), a pipe, or gzip (one chunk in memory).
 *
 * Feeds jfr/chunks.h, which detects chunks and skips damaged ones. Memory: one chunk of at most CHUNKS_HELD_MAX for
 * pipes and gzip; otherwise a mapping whose pages are released while reading.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/stat.h>

#include "base/err.h"
#include "base/str.h"
#include "jfr/chunks.h"

/* Of a chunk in a pipe or in gzip. The profilers end one at 12 MB (JDK) or 100 MB (async-profiler) unless told
 * otherwise. */
#define CHUNKS_HELD_MAX ((uint64_t)512 << 20)

struct chunks;

/* Where a walk was when it handed out a chunk. */
struct chunks_place {
    struct jfr_chunks walk; /* private, as is the rest */
    size_t at, last, len;
    bool ended, in_bad;
};

/* `path` is for messages and for opening; "-" is standard input. `max` bounds what gzip may inflate to. Errors name the
 * file. */
must_check int chunks_open(const char *path, uint64_t max, struct chunks **ret, struct err *err);
/* The name for messages: the path, or "standard input". */
const char *chunks_name(const struct chunks *c);
/* Does it begin as a recording does, with a chunk, or with zeros where chunks were punched out? Or does a chunk follow,
 * in a stream within the first MiB? -EILSEQ when it is empty, or of a format that the error names. */
must_check int chunks_is_recording(struct chunks *c, bool *ret, struct err *err);
/* Everything there is in one piece, for input of another kind; borrowed. -EFBIG beyond `max`. */
must_check int chunks_all(struct chunks *c, size_t max, struct str *ret, struct err *err);
/* 1 and a chunk, which stays until the next call; 0 at the end. -EBADMSG: a damaged place was stepped over, the error
 * says which; the call after goes on behind it. Any other failure is the end, and what came before is good: -EILSEQ
 * gzip is damaged, -EFBIG it inflates beyond `max`, reading failed. */
must_check int chunks_next(struct chunks *c, struct str *ret, struct err *err);
/* The last chunk turned out to make no sense: its size may be wrong, too. */
void chunks_refused(struct chunks *c);
/* For who reads ahead. Does a chunk stay beyond the next call, as long as it is kept? */
bool chunks_stays(const struct chunks *c);
/* Nothing from that byte on (chunks_at() of a chunk) is given up, so that the walk can go back; CHUNKS_KEEP_NONE. */
#define CHUNKS_KEEP_NONE UINT64_MAX
void chunks_keep(struct chunks *c, uint64_t from);
/* After a chunk was handed out; and as if nothing had been handed out since then. */
struct chunks_place chunks_place_of(const struct chunks *c);
void chunks_go_back(struct chunks *c, const struct chunks_place *p);
/* -EIO if the file became shorter, so that some of its chunks were never there: when they were read, and only then,
 * that is known. */
must_check int chunks_check(const struct chunks *c, struct err *err);
/* How far into the input, of how much; `total` is 0 where nobody knows. */
void chunks_progress(const struct chunks *c, uint64_t *done, uint64_t *total);
/* Where the chunk handed out last begins, in inflated bytes. */
uint64_t chunks_at(const struct chunks *c);
const struct stat *chunks_stat(const struct chunks *c);
void chunks_close(struct chunks *c);
