/* The part of a query that is not packed yet: which samples of which bodies of the journal are meant, and their stacks
 * merged.
 *
 * To be used inside of store_read(), as store/query.h.
 */
#pragma once

#include "base/map.h"
#include "pprof/flame.h"
#include "store/flame_ask.h"
#include "store/profile_values.h"
#include "store/select.h"

/* A row of the journal: these samples of that body. */
struct body_row {
    int64_t body, split, time_ns, duration_ns;
    uint8_t id[PROFILE_ID_SIZE]; /* of the profile */
    int32_t type;
    uint32_t number; /* in the order in which they were added */
};
struct body_rows {
    struct body_row *items; /* owned */
    size_t len, cap;
};
void body_rows_done(struct body_rows *l);
#define cleanup_body_rows __attribute__((cleanup(body_rows_done)))

/* Finds bodies by the ids of their profiles. */
must_check int body_rows_find(struct store_reader *r, const uint8_t (*ids)[PROFILE_ID_SIZE], size_t n,
                              struct u64map *out, struct err *err);
/* Adds what a series has in a range. `bodies`: of these alone; NULL = of all. */
must_check int body_rows_add(struct store_reader *r, int64_t series, struct store_range range,
                             const struct u64map *bodies, struct body_rows *out, struct err *err);
/* Merges them into `out`, and sorts them for that. `period`: the longest so far. A body that cannot be decoded is left
 * out, as is one that ends the parser. */
must_check int body_rows_merge(struct store_reader *r, struct body_rows *rows, const struct flame_ask *ask,
                               struct flame *out, int64_t *period, struct err *err);
/* Finds values in them, by their numbers, and sorts them for that. */
must_check int body_rows_values(struct store_reader *r, struct body_rows *rows, const struct values_ask *ask,
                                void (*visit)(void *arg, const struct profile_value *v), void *arg, struct err *err);
