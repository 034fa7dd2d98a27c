/* The part of a query that is packed: which profiles of which slices are meant, and their stacks merged block by block.
 *
 * To be used inside of store_read(), as store/query.h.
 */
#pragma once

#include "pprof/flame.h"
#include "store/flame_ask.h"
#include "store/profile_values.h"
#include "store/slices.h"

struct store_reader;

/* A slice, or some of its profiles. */
struct slice_pick {
    struct slice slice;
    uint32_t *rows; /* owned; ascending; NULL = all */
    size_t row_count;
};
struct slice_picks {
    struct slice_pick *items;
    size_t len, cap;
};
void slice_picks_done(struct slice_picks *p);
#define cleanup_slice_picks __attribute__((cleanup(slice_picks_done)))

/* Adds the slices of a series that overlap a range. */
must_check int slice_picks_add(struct store_reader *r, int64_t series, int64_t from_ns, int64_t until_ns,
                               struct slice_picks *out, struct err *err);
/* By hour and block; what slice_picks_merge() expects. */
void slice_picks_sort(struct slice_picks *p);

/* Which profiles of a slice count. */
struct slice_filter {
    int64_t from_ns, until_ns;
    const uint8_t (*ids)[SLICE_ID_SIZE]; /* these alone; NULL = all */
    size_t id_count;
};
/* Whether all of its profiles count, whatever they are. */
bool slice_pick_is_whole(const struct slice_pick *pick, const struct slice_filter *filter);
/* Reads a slice and leaves those of its profiles that count; `profiles` has all. 0: the slice is damaged, and none
 * count. 1: look at the pick. */
must_check int slice_pick_select(struct store_reader *r, struct slice_pick *pick, const struct slice_filter *filter,
                                 struct slice_profiles *profiles, struct err *err);

/* Merges what was picked into `out`. `period`: the longest so far. Blocks that are damaged are left out. */
must_check int slice_picks_merge(struct store_reader *r, const struct slice_picks *picks, const struct flame_ask *ask,
                                 struct flame *out, int64_t *period, struct err *err);

/* Finds values in what was picked; profiles are numbered in the order of picks and of rows in them, from `first` on.
 * Blocks and slices that are damaged are left out. */
must_check int slice_picks_values(struct store_reader *r, const struct slice_picks *picks, uint32_t first,
                                  const struct values_ask *ask, void (*visit)(void *arg, const struct profile_value *v),
                                  void *arg, struct err *err);
