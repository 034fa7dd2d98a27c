/* Totals of profiles over time, by labels. To be called in the store's worker. */
#pragma once

#include "api/page/page_call.h"
#include "store/label_groups.h"

struct point_group {
    struct str key; /* store/label_groups.h */
    uint32_t number;
    uint64_t profiles;
    int64_t total, last_ms;
};

struct point_groups {
    struct label_groups keys;
    struct point_group *items; /* by number until they are sorted; owned */
    size_t len, cap;
    size_t buckets;  /* 0 = no values */
    int64_t *values; /* buckets of each number; owned */
    size_t value_cap;
    int64_t from_ms, step_ms; /* private from here */
    bool full;
};

/* Collects what is shown, by these labels, which are borrowed. To be done() in any case. -EMSGSIZE: too many groups. */
must_check int point_groups_read(struct point_groups *g, struct page_call *q, struct store_reader *r,
                                 const struct str *by, size_t by_count, size_t buckets);
void point_groups_done(struct point_groups *g);
/* The largest first, equal ones by their labels; or all by their labels. */
void point_groups_sort(struct point_groups *g, bool by_total);
/* The value of a label of the key; "" when missing. */
struct str point_group_label(const struct point_group *group, struct str name);
/* ,"values":[…], where there are any. */
void point_groups_put_values(const struct point_groups *g, const struct point_group *group, struct buf *out);
