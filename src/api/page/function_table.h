/* The functions of a flame graph as a table in JSON: sorted, searched, the first of them. Any thread.
 *
 *     "count":…,"found":…,"functions":[[name,self,total], …]
 *
 * Of two sides compared [name, self, total before, self, total after]. `count` is the number of all functions with a
 * value, `found` that of those that are searched for.
 */
#pragma once

#include "api/page/name_match.h"
#include "base/buf.h"
#include "pprof/flame_pair.h"

enum { FUNCTION_TABLE_ROWS = 100 };

struct function_table {
    const struct flame *flame; /* after flame_finish() */
    uint32_t at;               /* what is beneath this node counts */
    const struct name_matches *search;
    /* "self" (the default), "total", "name"; of two sides also "change", the default, and "change_total": by how much
     * the share of the whole changed. */
    struct str sort;
    size_t limit;                                          /* of rows; 0 = FUNCTION_TABLE_ROWS */
    const int64_t *self[FLAME_SIDES], *total[FLAME_SIDES]; /* by node; NULL: one side, that of the graph */
};

/* Appends the members. -EINVAL: it cannot be sorted by that. */
must_check int function_table_put(const struct function_table *t, struct buf *out, struct err *err);
