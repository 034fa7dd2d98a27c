#include "api/agent/agent_metrics.h"

#include <malloc.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/metric.h"
#include "graph/measured.h"
#include "graph/view.h"

#define CONTROLLER_LABELS "controller_path", "controller_id"

static struct metric_family running = {.name = "smolder_component_controller_running_components",
                                       .alloy_name = "alloy_component_controller_running_components",
                                       .help = "Components, by health.",
                                       .kind = METRIC_GAUGE,
                                       .labels = {CONTROLLER_LABELS, "health_type"}};
static struct metric_family evaluating = {.name = "smolder_component_controller_evaluating",
                                          .alloy_name = "alloy_component_controller_evaluating",
                                          .help = "Whether the graph is being evaluated.",
                                          .kind = METRIC_GAUGE,
                                          .labels = {CONTROLLER_LABELS}};
static struct metric_family queued = {.name = "smolder_component_evaluation_queue_size",
                                      .alloy_name = "alloy_component_evaluation_queue_size",
                                      .help = "Components waiting for evaluation.",
                                      .kind = METRIC_GAUGE,
                                      .labels = {CONTROLLER_LABELS}};
static struct metric_family connections = {.name = "smolder_component_graph_connection",
                                           .alloy_name = "alloy_component_graph_connection",
                                           .help = "1 for each reference of a component (from) to another (to).",
                                           .kind = METRIC_GAUGE,
                                           .labels = {CONTROLLER_LABELS, "from", "to"}};
static struct metric_family cpu = {.name = "smolder_resources_process_cpu_seconds_total",
                                   .alloy_name = "alloy_resources_process_cpu_seconds_total",
                                   .help = "CPU time of this process, in seconds.",
                                   .kind = METRIC_COUNTER};
static struct metric_family resident = {.name = "smolder_resources_process_resident_memory_bytes",
                                        .alloy_name = "alloy_resources_process_resident_memory_bytes",
                                        .help = "Resident memory of this process, in bytes.",
                                        .kind = METRIC_GAUGE};
static struct metric_family virtual = {.name = "smolder_resources_process_virtual_memory_bytes",
                                       .alloy_name = "alloy_resources_process_virtual_memory_bytes",
                                       .help = "Virtual memory of this process, in bytes.",
                                       .kind = METRIC_GAUGE};
static struct metric_family started = {.name = "smolder_resources_process_start_time_seconds",
                                       .alloy_name = "alloy_resources_process_start_time_seconds",
                                       .help = "Start time of this process, in seconds since the epoch.",
                                       .kind = METRIC_GAUGE};
static struct metric_family received = {.name = "smolder_resources_machine_rx_bytes_total",
                                        .alloy_name = "alloy_resources_machine_rx_bytes_total",
                                        .help = "Bytes received by this host, loopback included.",
                                        .kind = METRIC_COUNTER};
static struct metric_family sent = {.name = "smolder_resources_machine_tx_bytes_total",
                                    .alloy_name = "alloy_resources_machine_tx_bytes_total",
                                    .help = "Bytes sent by this host, loopback included.",
                                    .kind = METRIC_COUNTER};

static struct metric_family heap = {
    .name = "smolder_heap_bytes", .help = "Heap memory in use in the main process, in bytes.", .kind = METRIC_GAUGE};
static struct metric_family handles = {
    .name = "smolder_loop_handles", .help = "Timers, sockets and watchers of the event loop.", .kind = METRIC_GAUGE};

/* --- components --- */

static bool agent_metrics_count_running(void *arg, const struct component_view *v)
{
    (void)arg;
    static const char *const health[] = {"unknown", "healthy", "unhealthy", "exited"};
    cleanup_free char *path = NULL;
    const char *id;
    measured_labels(v->module_id, &path, &id);
    if (v->is_measured)
        metric_add(&running, 1, path, id, health[v->health]);
    return true;
}

static bool agent_metrics_count_component(void *arg, const struct component_view *v)
{
    cleanup_free char *path = NULL;
    const char *id;
    measured_labels(v->module_id, &path, &id);
    if (!v->is_measured)
        return true;
    agent_metrics_count_running(arg, v);
    metric_add(&queued, v->is_queued, path, id);
    metric_set(&evaluating, 0, path, id); /* who asks is served by the same thread */
    for (size_t i = 0; v->references_to && v->references_to[i]; i++)
        metric_set(&connections, 1, path, id, v->local_id, v->references_to[i]);
    return true;
}

/* --- process and machine --- */

static void agent_metrics_update_memory(void)
{
    unsigned long long pages = 0, pages_resident = 0;
    const double page = (double)sysconf(_SC_PAGESIZE);
    cleanup_fclose FILE *f = fopen("/proc/self/statm", "re");
    if (!f || fscanf(f, "%llu %llu", &pages, &pages_resident) != 2)
        return;
    metric_set(&virtual, (double)pages * page);
    metric_set(&resident, (double)pages_resident * page);
}

static void agent_metrics_update_cpu(void)
{
    struct rusage use;
    if (getrusage(RUSAGE_SELF, &use) == 0)
        metric_set(&cpu, (double)(use.ru_utime.tv_sec + use.ru_stime.tv_sec) +
                             (double)(use.ru_utime.tv_usec + use.ru_stime.tv_usec) / 1e6);
}

static void agent_metrics_update_network(void)
{
    unsigned long long in = 0, out = 0;
    char line[512];
    cleanup_fclose FILE *f = fopen("/proc/self/net/dev", "re");
    while (f && fgets(line, sizeof line, f)) {
        unsigned long long rx, tx;
        const char *colon = strchr(line, ':');
        if (colon && sscanf(colon + 1, "%llu %*u %*u %*u %*u %*u %*u %*u %llu", &rx, &tx) == 2) {
            in += rx;
            out += tx;
        }
    }
    metric_set(&received, (double)in);
    metric_set(&sent, (double)out);
}

/* The sanitizers' allocator counts for itself. */
extern size_t __sanitizer_get_current_allocated_bytes(void) __attribute__((weak));

static void agent_metrics_update_heap(void)
{
    const struct mallinfo2 m = mallinfo2();
    metric_set(&heap, __sanitizer_get_current_allocated_bytes ? (double)__sanitizer_get_current_allocated_bytes()
                                                              : (double)(m.uordblks + m.hblkhd));
}

static void agent_metrics_count_handle(uv_handle_t *handle, void *arg)
{
    (void)handle;
    ++*(size_t *)arg;
}

void agent_metrics_update(uv_loop_t *loop, struct controller *c)
{
    size_t n = 0;
    uv_walk(loop, agent_metrics_count_handle, &n);
    metric_set(&handles, (double)n);
    agent_metrics_update_heap();
    metric_clear(&running);
    metric_clear(&evaluating);
    metric_clear(&queued);
    metric_clear(&connections);
    metric_set(&evaluating, 0, "/", "");
    metric_set(&queued, 0, "/", "");
    controller_each_deep(c, agent_metrics_count_component, NULL);
    controller_each_import(c, agent_metrics_count_running, NULL);
    agent_metrics_update_memory();
    agent_metrics_update_cpu();
    agent_metrics_update_network();
    metric_set(&started, metric_process_start());
}
