/* Counters, gauges and histograms in the Prometheus text format 0.0.4.
 *
 * A family is a static object that registers itself on first use; a series is a family plus label values. Updates come
 * from the loop thread only. Names are fixed by design: smolder_sessions{state}, smolder_pushes_total{endpoint,result}
 * …
 *
 *     static struct metric_family pushes = {.name = "smolder_pushes_total", .help = "Pushes, by endpoint and result.",
 *                                           .kind = METRIC_COUNTER, .labels = {"endpoint", "result"}};
 *     metric_add(&pushes, 1, url, "ok");
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "base/buf.h"
#include "base/map.h"

enum metric_kind { METRIC_COUNTER, METRIC_GAUGE, METRIC_HISTOGRAM };
enum { METRIC_LABELS_MAX = 4 };

struct metric_family {
    const char *name, *help;
    const char *alloy_name; /* what the reference calls it; NULL: does not have it, or not under another name */
    enum metric_kind kind;
    const char *labels[METRIC_LABELS_MAX]; /* NULL-terminated unless full */
    const double *buckets;                 /* histogram: ascending upper bounds, +Inf implied */
    size_t bucket_count;
    struct strmap series; /* private from here; by their label values, each ended by a NUL */
    struct metric_family *next;
    bool registered;
};

/* As many `const char *` label values follow as the family has labels; they are copied. */
#define metric_add(family, by, ...)                                                                                    \
    metric_add_(family, by, (const char *const[METRIC_LABELS_MAX + 1]){__VA_ARGS__ __VA_OPT__(, ) NULL})
#define metric_set(family, to, ...)                                                                                    \
    metric_set_(family, to, (const char *const[METRIC_LABELS_MAX + 1]){__VA_ARGS__ __VA_OPT__(, ) NULL})
#define metric_observe(family, value, ...)                                                                             \
    metric_observe_(family, value, (const char *const[METRIC_LABELS_MAX + 1]){__VA_ARGS__ __VA_OPT__(, ) NULL})
#define metric_forget(family, ...)                                                                                     \
    metric_forget_(family, (const char *const[METRIC_LABELS_MAX + 1]){__VA_ARGS__ __VA_OPT__(, ) NULL})
/* Current value of a counter or gauge; 0 when it never was touched. */
#define metric_value(family, ...)                                                                                      \
    metric_value_(family, (const char *const[METRIC_LABELS_MAX + 1]){__VA_ARGS__ __VA_OPT__(, ) NULL})

void metric_add_(struct metric_family *f, double by, const char *const *labels);
void metric_set_(struct metric_family *f, double to, const char *const *labels);
void metric_observe_(struct metric_family *f, double value, const char *const *labels);
void metric_forget_(struct metric_family *f, const char *const *labels);
double metric_value_(struct metric_family *f, const char *const *labels);

/* From now on families go by the reference's names where they have one (Alloy's dashboards and alerts work then). */
void metric_use_alloy_names(bool yes);
/* What a series is now. */
struct metric_reading {
    const char *names[METRIC_LABELS_MAX], *values[METRIC_LABELS_MAX]; /* of labels, label_count of them; borrowed */
    size_t label_count;
    double value; /* of a histogram the sum */
    double count; /* of a histogram; else 0 */
};
/* Shows every series of the family of that name (not the reference's); none where there is no such family yet. */
void metric_each(const char *name, void (*visit)(void *arg, const struct metric_reading *r), void *arg);
/* When this process was started, in seconds since the epoch. */
double metric_process_start(void);
/* Drops every series; for gauges that are set anew before each rendering. */
void metric_clear(struct metric_family *f);
/* Every registered family that has a series, plus process_cpu_seconds_total, process_resident_memory_bytes,
 * process_virtual_memory_bytes, process_open_fds, process_max_fds and process_start_time_seconds. */
void metric_render(struct buf *out);
