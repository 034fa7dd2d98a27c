#include "jvm/session/session_state.h"

#include "base/cleanup.h"
#include "base/metric.h"

static struct metric_family sessions = {
    .name = "smolder_sessions", .help = "Profiling sessions, by state.", .kind = METRIC_GAUGE, .labels = {"state"}};
static const double attach_buckets[] = {0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10};
static struct metric_family attach_seconds = {.name = "smolder_attach_seconds",
                                              .help = "Time to start a profiler in a JVM.",
                                              .kind = METRIC_HISTOGRAM,
                                              .buckets = attach_buckets,
                                              .bucket_count = ARRAY_LEN(attach_buckets)};
static const double gap_buckets[] = {0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.5, 1, 5};
static struct metric_family gap_seconds = {.name = "smolder_gap_seconds",
                                           .help = "Upper bound of the time without sampling at a roll-over.",
                                           .kind = METRIC_HISTOGRAM,
                                           .buckets = gap_buckets,
                                           .bucket_count = ARRAY_LEN(gap_buckets)};

enum jvm_state session_state_of(enum session_phase phase, const char *reason)
{
    switch (phase) {
    case PHASE_STARTING:
        return JVM_STATE_ATTACHING;
    case PHASE_PROFILING:
        return reason[0] ? JVM_STATE_DEGRADED : JVM_STATE_PROFILING;
    case PHASE_STOPPING:
    case PHASE_GONE:
        return JVM_STATE_GONE;
    case PHASE_IDLE:
        break;
    }
    return reason[0] ? jvm_state_of_reason(reason) : JVM_STATE_WAITING;
}

void session_state_enter(enum jvm_state state)
{
    metric_add(&sessions, 1, jvm_state_name(state));
}

void session_state_leave(enum jvm_state state)
{
    metric_add(&sessions, -1, jvm_state_name(state));
}

void session_state_attached(int64_t took)
{
    metric_observe(&attach_seconds, (double)took / 1e9);
}

void session_state_gap(int64_t most)
{
    metric_observe(&gap_seconds, (double)most / 1e9);
}
