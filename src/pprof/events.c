#include "pprof/events.h"

/* Names and units are the reference converter's where it has them: backends know these. */
const struct profile_kind_def profile_kinds[KIND_COUNT] = {
    [KIND_PARK] = {"block", {{"contentions", "count"}, {"delay", "nanoseconds"}}, {"block", "count"}},
    [KIND_COUNTER] = {"event", {{"samples", "count"}, {"events", "count"}}, {"events", "count"}},
    [KIND_TLAB_IN] = {"memory",
                      {{"alloc_in_new_tlab_objects", "count"}, {"alloc_in_new_tlab_bytes", "bytes"}},
                      {"space", "bytes"},
                      "memory_alloc_in_new_tlab"},
    [KIND_TLAB_OUT] = {"memory",
                       {{"alloc_outside_tlab_objects", "count"}, {"alloc_outside_tlab_bytes", "bytes"}},
                       {"space", "bytes"},
                       "memory_alloc_outside_tlab"},
    [KIND_ALLOC] = {"memory",
                    {{"alloc_sample_objects", "count"}, {"alloc_sample_bytes", "bytes"}},
                    {"space", "bytes"},
                    "memory_alloc_sample"},
    [KIND_LIVE] = {"memory", {{"live", "count"}, {"live_bytes", "bytes"}}, {"objects", "count"}, "memory_live"},
    [KIND_MALLOC_LIVE] = {"memory",
                          {{"malloc_live_objects", "count"}, {"malloc_live_bytes", "bytes"}},
                          {"space", "bytes"},
                          "memory_malloc_live"},
    [KIND_MALLOC] = {"memory",
                     {{"malloc_objects", "count"}, {"malloc_bytes", "bytes"}},
                     {"space", "bytes"},
                     "memory_malloc"},
    [KIND_LOCK] = {"mutex", {{"contentions", "count"}, {"delay", "nanoseconds"}}, {"mutex", "count"}},
    [KIND_NATIVE_LOCK] = {"mutex",
                          {{"native_contentions", "count"}, {"native_delay", "nanoseconds"}},
                          {"mutex", "count"},
                          "mutex_native"},
    [KIND_NATIVE_METHOD] = {"native_method", {{"native", "nanoseconds"}}, {"native", "nanoseconds"}},
    [KIND_CPU] = {"process_cpu", {{"cpu", "nanoseconds"}}, {"cpu", "nanoseconds"}},
    [KIND_SPAN] = {"span", {{"spans", "count"}, {"duration", "nanoseconds"}}, {"spans", "count"}},
    [KIND_TRACE] = {"trace", {{"calls", "count"}, {"duration", "nanoseconds"}}, {"calls", "count"}},
    [KIND_USER_EVENT] = {"user_event", {{"events", "count"}}, {"events", "count"}},
    [KIND_WALL] = {"wall", {{"wall", "nanoseconds"}}, {"wall", "nanoseconds"}},
};

static bool profile_kind_names(const struct profile_kind_def *def, struct str text)
{
    const struct str name = str_of(def->name);
    if (str_eq(text, name))
        return true;
    if (text.n > name.n && str_has_prefix(text, name) && text.p[name.n] == ':')
        text = (struct str){text.p + name.n + 1, text.n - name.n - 1};
    for (size_t i = 0; i < 2 && def->types[i][0]; i++) {
        const struct str type = str_of(def->types[i][0]);
        if (str_eq(text, type) || (text.n > type.n && str_has_prefix(text, type) && text.p[type.n] == '/' &&
                                   str_is((struct str){text.p + type.n + 1, text.n - type.n - 1}, def->types[i][1])))
            return true;
    }
    return false;
}

uint32_t profile_kinds_named(struct str text)
{
    _Static_assert((int)KIND_COUNT <= 32, "a bit each");
    uint32_t kinds = 0;
    for (size_t k = 0; k < KIND_COUNT; k++)
        kinds |= (uint32_t)profile_kind_names(&profile_kinds[k], text) << k;
    return kinds;
}

const struct event_class event_classes[CLASS_COUNT] = {
    [CLASS_EXECUTION] = {"jdk.ExecutionSample", {"stackTrace", "sampledThread", "state"}, KIND_CPU, RULE_EXECUTION},
    [CLASS_WALL] = {"profiler.WallClockSample",
                    {"stackTrace", "sampledThread", "state", "samples"},
                    KIND_WALL,
                    RULE_WALL},
    [CLASS_CPU_TIME] =
        {"jdk.CPUTimeSample", {"stackTrace", "eventThread", NULL, "samplingPeriod"}, KIND_CPU, RULE_CPU_TIME, true},
    [CLASS_NATIVE_METHOD] =
        {"jdk.NativeMethodSample", {"stackTrace", "sampledThread"}, KIND_NATIVE_METHOD, RULE_NATIVE_METHOD, true},
    [CLASS_TLAB_IN] = {"jdk.ObjectAllocationInNewTLAB",
                       {"stackTrace", "eventThread", "objectClass", "tlabSize"},
                       KIND_TLAB_IN,
                       RULE_SIZED},
    [CLASS_TLAB_OUT] = {"jdk.ObjectAllocationOutsideTLAB",
                        {"stackTrace", "eventThread", "objectClass", "allocationSize"},
                        KIND_TLAB_OUT,
                        RULE_SIZED},
    [CLASS_ALLOC] = {"jdk.ObjectAllocationSample",
                     {"stackTrace", "eventThread", "objectClass", "weight"},
                     KIND_ALLOC,
                     RULE_SIZED},
    [CLASS_LIVE] = {"profiler.LiveObject",
                    {"stackTrace", "eventThread", "objectClass", "allocationSize"},
                    KIND_LIVE,
                    RULE_SIZED},
    [CLASS_MALLOC] = {"profiler.Malloc", {"stackTrace", "eventThread", "address", "size"}, KIND_MALLOC, RULE_MALLOC},
    [CLASS_LOCK] = {"jdk.JavaMonitorEnter",
                    {"stackTrace", "eventThread", "monitorClass", "duration"},
                    KIND_LOCK,
                    RULE_DELAY},
    [CLASS_PARK] = {"jdk.ThreadPark", {"stackTrace", "eventThread", "parkedClass", "duration"}, KIND_PARK, RULE_DELAY},
    [CLASS_NATIVE_LOCK] =
        {"profiler.NativeLock", {"stackTrace", "eventThread", NULL, "duration"}, KIND_NATIVE_LOCK, RULE_DELAY, true},
    [CLASS_TRACE] =
        {"jdk.MethodTrace", {"stackTrace", "eventThread", "method", "duration"}, KIND_TRACE, RULE_TRACE, true},
    [CLASS_SPAN] = {"profiler.Span", {NULL, "eventThread", "tag", "duration"}, KIND_SPAN, RULE_TAGGED, true},
    [CLASS_USER_EVENT] = {"profiler.UserEvent", {NULL, "eventThread", "type"}, KIND_USER_EVENT, RULE_TAGGED, true},
    [CLASS_FREE] = {"profiler.Free", {NULL, NULL, "address"}, KIND_COUNT, RULE_FREE, true},
    [CLASS_CPU_TIME_LOST] =
        {"jdk.CPUTimeSamplesLost", {NULL, "eventThread", NULL, "lostSamples"}, KIND_COUNT, RULE_LOST, true},
    [CLASS_DATADOG_CPU] =
        {"datadog.ExecutionSample", {"stackTrace", "eventThread", "state", "weight"}, KIND_CPU, RULE_INTERVALS, true},
    [CLASS_DATADOG_WALL] =
        {"datadog.MethodSample", {"stackTrace", "eventThread", "state", "weight"}, KIND_WALL, RULE_INTERVALS, true},
    [CLASS_DATADOG_ALLOC] =
        {"datadog.ObjectSample", {"stackTrace", "eventThread", "objectClass", "size"}, KIND_ALLOC, RULE_WEIGHTED, true},
    [CLASS_DATADOG_LIVE] = {"datadog.HeapLiveObject",
                            {"stackTrace", "eventThread", "objectClass", "size"},
                            KIND_LIVE,
                            RULE_WEIGHTED,
                            true},
    [CLASS_DATADOG_CONFIG] =
        {"datadog.DatadogProfilerConfig", {"cpuInterval", NULL, "wallInterval"}, KIND_COUNT, RULE_CONFIG, true},
    [CLASS_SETTING] = {"jdk.ActiveSetting", {"name", "value", "id"}, KIND_COUNT, RULE_SETTING},
};
