#include "graph/measured.h"

#include "base/cleanup.h"
#include "base/component_id.h"
#include "base/mem.h"
#include "base/metric.h"

static const double buckets[] = {0.005, 0.025, 0.1, 0.5, 1, 5, 10, 30, 60, 120, 300, 600};
static const double slow_seconds = 60;

static struct metric_family taken = {.name = "smolder_component_evaluation_seconds",
                                     .alloy_name = "alloy_component_evaluation_seconds",
                                     .help =
                                         "Duration of component evaluations after a dependency changed, in seconds.",
                                     .kind = METRIC_HISTOGRAM,
                                     .labels = {"controller_path", "controller_id"},
                                     .buckets = buckets,
                                     .bucket_count = ARRAY_LEN(buckets)};
static struct metric_family waited = {.name = "smolder_component_dependencies_wait_seconds",
                                      .alloy_name = "alloy_component_dependencies_wait_seconds",
                                      .help = "Time from the change of a dependency to the evaluation, in seconds.",
                                      .kind = METRIC_HISTOGRAM,
                                      .labels = {"controller_path", "controller_id"},
                                      .buckets = buckets,
                                      .bucket_count = ARRAY_LEN(buckets)};
static struct metric_family slow = {.name = "smolder_component_evaluation_slow_seconds",
                                    .alloy_name = "alloy_component_evaluation_slow_seconds",
                                    .help = "Seconds spent in evaluations of a minute or longer.",
                                    .kind = METRIC_COUNTER,
                                    .labels = {"controller_path", "controller_id", "component_id"}};

void measured_labels(const char *module_id, char **ret_path, const char **ret_id)
{
    struct str modules;
    *ret_id = component_id_split(module_id, &modules);
    *ret_path = xasprintf("/%.*s", STR_ARG(modules));
}

void measured_evaluation(const char *module_id, const char *id, uint64_t marked, uint64_t begun, uint64_t ended)
{
    cleanup_free char *path = NULL;
    const char *controller;
    const double seconds = (double)(ended - begun) / 1e9;
    measured_labels(module_id, &path, &controller);
    metric_observe(&taken, seconds, path, controller);
    metric_observe(&waited, (double)(begun - marked) / 1e9, path, controller);
    if (seconds >= slow_seconds && id)
        metric_add(&slow, seconds, path, controller, id);
}

void measured_forget(const char *module_id)
{
    cleanup_free char *path = NULL;
    const char *controller;
    measured_labels(module_id, &path, &controller);
    metric_forget(&taken, path, controller);
    metric_forget(&waited, path, controller);
}
