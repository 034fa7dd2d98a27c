/* What smolder top reads from the answers of a store: the JSON of Pyroscope's query API (docs/query-api.md).
 *
 * Answers come from the network: what is missing or makes no sense reads as empty or 0.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "base/str.h"

enum { TOP_TREND = 12, TOP_ROWS_MAX = 1 << 16 };

struct top_service {
    char *name; /* "" = without a name */
    double value, trend[TOP_TREND];
};
struct top_services {
    struct top_service *items; /* largest first */
    size_t len;
    double value; /* of all */
};
/* Of SelectSeries, grouped by service_name. The last point is at `end_ms`, each `step_ms` after the one before it.
 * `gauge`: the value is the mean of the points, not their sum. */
must_check int top_services_read(struct str json, int64_t end_ms, int64_t step_ms, bool gauge, struct top_services *ret,
                                 struct err *err);
void top_services_done(struct top_services *s);

struct top_method {
    char *name;
    double self, total; /* a function that calls itself counts once in its total */
};
struct top_methods {
    struct top_method *items;
    size_t len;
    double value; /* of all */
};
enum top_sort { TOP_SELF, TOP_TOTAL, TOP_NAME, TOP_SORTS };
extern const char *const top_sort_names[TOP_SORTS + 1]; /* "self", "total", "name", NULL */
/* Of SelectMergeStacktraces: a list of functions where the server has that, or a flame graph. Sorted by self. */
must_check int top_methods_read(struct str json, struct top_methods *ret, struct err *err);
void top_methods_sort(struct top_methods *m, enum top_sort by);
void top_methods_done(struct top_methods *m);

struct top_types {
    char **items; /* "process_cpu:cpu:nanoseconds:cpu:nanoseconds" */
    size_t len;
};
must_check int top_types_read(struct str json, struct top_types *ret, struct err *err);
/* Index of the type whose ID begins with `wanted`; "" = CPU time, or the first there is. `len` = there is none. */
size_t top_types_find(const struct top_types *t, const char *wanted);
void top_types_done(struct top_types *t);

/* newestProfileTime of GetProfileStats; 0 = there is no profile. */
must_check int top_newest_read(struct str json, int64_t *ret_ms, struct err *err);
