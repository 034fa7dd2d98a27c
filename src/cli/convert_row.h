/* Chunks waiting for their conversion, in the order of the recordings: the front is converted by who asks for it, those
 * behind meanwhile by threads, apart (pprof/conversion_parts.h).
 *
 * What else there is to do in that order, messages above all, stands in the same row. No thread is started before there
 * are chunks enough to be worth it. One owner; the threads are private.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "base/str.h"
#include "cli/convert_chunks.h"
#include "pprof/settings.h"

struct conversion;
struct recording_input; /* whose an item is; the owner's */

/* Threads that convert at once, the caller's included. */
enum { ROW_JOBS_MAX = 16 };
/* Bytes of one chunk, and of all, that are copied to be in the row. */
enum { ROW_COPY_MAX = 64 << 20 };

enum row_kind {
    ROW_BEGIN,  /* of a recording */
    ROW_CHUNK,  /* of it */
    ROW_DAMAGE, /* a place in it that was stepped over */
    ROW_END,    /* of an input */
};
struct row_item {
    enum row_kind kind;
    struct recording_input *input;
    struct err why;            /* ROW_DAMAGE; ROW_END: code 0 = regular */
    struct str chunk;          /* borrowed, or in `copy` */
    uint8_t *copy;             /* owned */
    uint64_t at;               /* byte of the input */
    struct chunks_place place; /* behind it */

    /* Private from here. */
    enum row_state { ROW_WAITING, ROW_RUNNING, ROW_DONE } state;
    uint64_t recording;                /* number of its recording */
    bool first;                        /* of that */
    struct recorded_settings settings; /* that its part was made with */
    struct conversion *part;
    int code;
};

struct row;

/* With one job, and where `c` has no parts, everything is done by who asks. */
struct row *row_new(struct conversion *c, unsigned jobs);
void row_free(struct row *r);
/* As many as there are CPUs for this process. */
unsigned row_jobs_default(void);

/* Is the front to be taken before something is added? */
bool row_is_full(const struct row *r);
bool row_reads_ahead(const struct row *r);
/* What the item owns is the row's. */
void row_add(struct row *r, const struct row_item *item);
size_t row_len(const struct row *r);
const struct row_item *row_item_at(const struct row *r, size_t i);
/* The front, which is a chunk, into the conversion: as conversion_add(). */
must_check int row_convert(struct row *r, struct err *err);
/* Removes an item; waits for who converts it. */
void row_remove(struct row *r, size_t i);
