/* Queries of whole profiles. Where its samples have labels, a profile is in several series, with one ID and time: what
 * counts, compares or averages profiles adds these parts up first.
 *
 * To be called from the `work` function of store_read() only, in its worker.
 */
#pragma once

#include "store/label_groups.h"
#include "store/value_query.h"

struct whole_profile {
    int64_t ms, total;
    uint32_t group; /* of `groups` */
    uint32_t rest;  /* labels that all its series share and that it is not grouped by: an index of groups->rests */
    uint8_t id[PROFILE_ID_SIZE];
};
struct whole_span {
    bool has_trace;
    uint8_t id[SPAN_ID_SIZE], trace[TRACE_ID_SIZE];
};

struct whole_profiles_ask {
    struct label_groups *groups;     /* a profile counts once in each; NULL = all are one */
    bool wants_rest;                 /* else it is 0 */
    const struct values_ask *values; /* what of a profile counts; NULL = all */
};
/* All profiles, or spans of profiles if values->by_span, piece of time after piece, in no order within one. `span` is
 * NULL without spans. -EMSGSIZE, with a remedy, when a piece has too many. */
must_check int
store_each_whole_profile(struct store_reader *r, const struct store_filter *what, const struct whole_profiles_ask *ask,
                         void (*visit)(void *arg, const struct whole_profile *p, const struct whole_span *span),
                         void *arg, struct err *err);
