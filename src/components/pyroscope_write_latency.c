#include "components/pyroscope_write_latency.h"

#include <stdlib.h>

#include "base/cleanup.h"
#include "base/mem.h"
#include "base/metric.h"

/* From a fast local server to a profile that is retried for minutes. */
static const double latency_buckets[] = {0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 60, 600};
static struct metric_family latency = {.name = "pyroscope_write_latency",
                                       .help = "Seconds of a push, by endpoint and type.",
                                       .kind = METRIC_HISTOGRAM,
                                       .labels = {"component_id", "component_path", "endpoint", "type"},
                                       .buckets = latency_buckets,
                                       .bucket_count = ARRAY_LEN(latency_buckets)};

struct write_latency {
    unsigned refs;
    const char *component_id, *component_path;
    int64_t (*now_ns)(void);
    int64_t begun_ns;
};

void write_latency_observe(const char *component_id, const char *component_path, const char *endpoint,
                           enum write_latency_type type, int64_t ns)
{
    static const char *const names[] = {[WRITE_LATENCY_TOTAL] = "push_total",
                                        [WRITE_LATENCY_ENDPOINT] = "push_endpoint",
                                        [WRITE_LATENCY_DOWNSTREAM] = "push_downstream"};
    metric_observe(&latency, (double)ns / 1e9, component_id, component_path,
                   type == WRITE_LATENCY_TOTAL ? "-" : endpoint, names[type]);
}

struct write_latency *write_latency_new(const char *component_id, const char *component_path, int64_t (*now_ns)(void))
{
    struct write_latency *l = xmalloc(sizeof *l);
    *l = (struct write_latency){1, component_id, component_path, now_ns, now_ns()};
    return l;
}

struct write_latency *write_latency_ref(struct write_latency *l)
{
    l->refs++;
    return l;
}

void write_latency_unref(struct write_latency *l)
{
    if (!l || --l->refs > 0)
        return;
    write_latency_observe(l->component_id, l->component_path, NULL, WRITE_LATENCY_TOTAL, l->now_ns() - l->begun_ns);
    free(l);
}
