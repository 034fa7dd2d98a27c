#include "components/fanout.h"

#include <stdlib.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "base/metric.h"
#include "graph/measured.h"

static const double latency_buckets[] = {0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10};

/* The names dashboards know from the reference. */
static struct metric_family fanout_latency = {.name = "pyroscope_fanout_latency",
                                              .help = "Seconds it took to hand a profile to all receivers.",
                                              .kind = METRIC_HISTOGRAM,
                                              .labels = {"component_id", "component_path"},
                                              .buckets = latency_buckets,
                                              .bucket_count = ARRAY_LEN(latency_buckets)};
static struct metric_family forwarded_entries = {.name = "pyroscope_forwarded_entries_total",
                                                 .help = "Samples of the profiles that were handed to receivers.",
                                                 .kind = METRIC_COUNTER,
                                                 .labels = {"component_id", "component_path"}};

void fanout_init(struct fanout *f, const char *component_id)
{
    *f = (struct fanout){0};
    measured_labels(component_id, &f->component_path, &f->component_id);
}

void fanout_send(const struct fanout *f, const struct receivers *to, const struct labels *labels,
                 struct encoded_profile *p)
{
    const int64_t begun = clock_ns();
    fanout_append(to, labels, p);
    metric_observe(&fanout_latency, (double)(clock_ns() - begun) / 1e9, f->component_id, f->component_path);
    metric_add(&forwarded_entries, (double)p->samples, f->component_id, f->component_path);
}

void fanout_done(struct fanout *f)
{
    if (f->component_path) {
        metric_forget(&fanout_latency, f->component_id, f->component_path);
        metric_forget(&forwarded_entries, f->component_id, f->component_path);
    }
    free(f->component_path);
    *f = (struct fanout){0};
}
