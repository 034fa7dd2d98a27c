/* Which series a query means, and what of them is not in stacks. What the query API knows of a storage is this and
 * store/query.h.
 *
 * To be called from the `work` function of store_read() only, in its worker. Errors: -EMSGSIZE beyond a limit, whose
 * flag the text names; -ETIMEDOUT; those of the database.
 */
#pragma once

#include "store/label_selector.h"
#include "store/labels_key.h"

struct store_reader;

struct store_range {
    int64_t from_ms, until_ms;
};
struct store_filter {
    const struct label_selector *selector;
    struct store_range range; /* ms, both ends inclusive */
};

struct store_series {
    int64_t id;
    const struct label_list *labels; /* all, those derived as well; borrowed during `visit` */
};
/* Series that have a profile in the range, in no order. */
must_check int store_each_series(struct store_reader *r, const struct store_filter *what,
                                 void (*visit)(void *arg, const struct store_series *s), void *arg, struct err *err);

/* A profile of a series as a number. Its id is that of its content; other series may have the same. */
enum { PROFILE_ID_SIZE = 16 };
struct store_point {
    const struct store_series *series;
    int64_t time_ns, total;
    uint8_t id[PROFILE_ID_SIZE];
};
/* All points, series after series, those of one in the order of time. */
must_check int store_each_point(struct store_reader *r, const struct store_filter *what,
                                void (*visit)(void *arg, const struct store_point *p), void *arg, struct err *err);

/* What there is. */
struct store_bounds {
    int64_t oldest_ns, newest_ns; /* 0 = no profile */
};
must_check int store_read_bounds(struct store_reader *r, struct store_bounds *ret, struct err *err);
/* Bytes of the stored profiles of a range. */
must_check int store_range_bytes(struct store_reader *r, struct store_range range, int64_t *ret, struct err *err);
