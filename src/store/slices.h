/* Slices: consecutive profiles of one series, of one hour, packed together (store/pack.h). What is read here is not in
 * stacks: times, durations, totals (store/columns.h) and ids. Stacks are those of the slice's block (store/block.h).
 *
 * Slices of a series may overlap in time, since profiles may come late; within one, too, they are in the order in which
 * they were packed. Every blob has a checksum: what is damaged is left out, and hides nothing else.
 */
#pragma once

#include "store/columns.h"
#include "store/db.h"

#define STORE_HOUR_NS (INT64_C(3600) * 1000000000)

enum { SLICE_ID_SIZE = 16 }; /* XXH3-128 of the inflated pprof */

struct slice {
    int64_t id, block;
    int64_t first_ns, last_ns; /* times of the first and of the last profile */
    int64_t total;             /* of all its profiles, as far as a number can be */
    size_t profiles;
};
struct slice_list {
    struct slice *items; /* owned */
    size_t len, cap;
};
void slice_list_done(struct slice_list *l);
#define cleanup_slice_list __attribute__((cleanup(slice_list_done)))
/* Adds those of a series that overlap a range, both ends inclusive, by their beginning. Whether a profile is in the
 * range is another question where a slice begins before it and ends behind it. */
must_check int slices_of(struct db *db, int64_t series, int64_t from_ns, int64_t until_ns, struct slice_list *out,
                         struct err *err);

struct slice_profiles {
    struct columns columns;
    uint8_t *ids; /* owned; SLICE_ID_SIZE bytes each */
};
void slice_profiles_done(struct slice_profiles *p);
#define cleanup_slice_profiles __attribute__((cleanup(slice_profiles_done)))
/* The blobs of a slice of `n` profiles. False: damaged. */
bool slice_parse(struct str columns, struct str ids, size_t n, struct slice_profiles *ret);
/* 1: read. 0: it is damaged, or gone. */
must_check int slice_read(struct db *db, const struct slice *s, struct slice_profiles *ret, struct err *err);

/* Whether a profile of that time is packed already. `until_ns`: another time, where it may have got any between them
 * (store/ingest.h). 1: yes. */
must_check int slices_have(struct db *db, int64_t series, int64_t from_ns, int64_t until_ns, struct str id,
                           struct err *err);

/* A slice on its way to the disk. */
struct slice_new {
    int64_t id; /* 0 = a new one; one that is there already stays as it is */
    int64_t series, block;
    struct columns columns;
    const uint8_t *ids;
    struct str sum, rows; /* store/block.h */
};
must_check int slice_add(struct db *db, const struct slice_new *s, struct err *err);
