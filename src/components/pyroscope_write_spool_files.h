/* The files of a spool: profiles that wait for one endpoint, on disk, in the order in which they came.
 *
 * A directory of segments of up to SPOOL_SEGMENT bytes, named by a number that grows. A record is a header with
 * lengths, times, ID and a checksum, then labels and profile; it is written at once, and a record that was torn by a
 * kill is not there. A byte in the header says whether it was delivered. A segment is removed with its last record.
 * Nothing is flushed: records survive the end of the agent in any way, but not a crash of the kernel.
 *
 * Limited by bytes and age; the oldest segment goes first. Age is measured by CLOCK_BOOTTIME as long as the machine has
 * not been booted anew, because the time of day may be set to anything meanwhile.
 *
 * Blocks; for one thread at a time. A second process that opens the directory is refused (-EBUSY).
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/err.h"

enum { SPOOL_SEGMENT = 4 << 20, SPOOL_ID_MAX = 56 };

/* Where a record is. Zero: nowhere. */
struct spool_place {
    uint64_t segment;
    uint32_t record; /* index in it */
};

struct spool_now {
    int64_t wall_ns, boot_ns;
};

struct spool_entry {
    struct spool_place place;
    char id[SPOOL_ID_MAX];
    uint64_t samples;
    int64_t time_nanos, duration_nanos; /* of the profile */
    int64_t age_ns;                     /* when read */
    struct str labels, profile;         /* labels as the caller encodes them */
};

struct spool_limits {
    size_t bytes; /* of all segments */
    int64_t age_ns;
};

struct spool_counts {
    size_t waiting;           /* records that were not taken yet */
    size_t bytes;             /* of all segments */
    size_t too_many, too_old; /* records dropped for a limit, since the spool was opened */
};

struct spool_files;

/* Creates the directory if `create`; else -ENOENT without one. */
must_check int spool_files_open(const char *path, bool create, struct spool_files **ret, struct err *err);
/* Removes the directory if it is empty. NULL is allowed. */
void spool_files_close(struct spool_files *f);
/* Appends one; only id to profile of `e` are read. It counts as taken: the caller still has it. */
must_check int spool_files_append(struct spool_files *f, const struct spool_limits *limits, const struct spool_entry *e,
                                  struct spool_now now, struct spool_place *ret, struct err *err);
/* The oldest record that was not taken, into `e`, whose texts point into `room`. -ENOENT: there is none. Damaged ones
 * are passed over. */
must_check int spool_files_take(struct spool_files *f, const struct spool_limits *limits, struct spool_now now,
                                struct buf *room, struct spool_entry *e);
/* The record will be taken again. */
void spool_files_give_back(struct spool_files *f, struct spool_place place);
/* The record was delivered, or dropped. */
void spool_files_finish(struct spool_files *f, struct spool_place place);
struct spool_counts spool_files_counts(const struct spool_files *f);
/* Removes the spools below `parent` that nobody uses and that did not change for so long: those of endpoints that left
 * the configuration. */
void spool_files_sweep(const char *parent, int64_t older_than_s, int64_t now_s);
