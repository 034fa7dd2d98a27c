/* The arguments of pyroscope.java: option table, validation, and translation to profiler options.
 *
 * Names and defaults are those of the document (pyroscope.java of Grafana Agent) plus Alloy's additions: event,
 * per_thread, tlab, log_level, quiet, custom_arguments, dist; the rest is our own. Invalid combinations are rejected
 * at load instead of failing at run time: spec components §1.1.
 */
#pragma once

#include "convert/message.h"
#include "flow/receiver.h"
#include "flow/targets.h"
#include "lang/schema.h"

struct java_profiling {
    int64_t interval, roll_over; /* ns */
    int64_t sample_rate;
    int64_t jstackdepth; /* 0 = the profiler's */
    bool cpu, per_thread, tlab, live, quiet;
    char *event, *alloc, *lock, *wall, *native_mem, *native_lock, *cstack, *log_level, *crash_guard;
    struct string_list features, include, exclude, custom_arguments;
};

struct java_args {
    struct targets targets;
    struct receivers forward_to;
    char *tmp_dir, *dist;
    int64_t min_age;     /* ns */
    int64_t max_targets; /* 0 = any number */
    char *memory_headroom;
    bool untested_versions, retry_crashed;
    struct java_profiling profiling;
};

extern const struct schema java_schema;

/* The profiler's options, "event=itimer,interval=10000000,alloc=512k,lock=10ms,…"; to be freed. -EINVAL as java_schema
 * has it. */
must_check int java_profiling_events(const struct java_profiling *p, char **ret, struct err *err);

/* How the samples of such a session weigh, until a chunk says so itself. `events` is java_profiling_events()' answer.
 * Names of events are cut at JAVA_EVENT_MAX. */
enum { JAVA_EVENT_MAX = 64 };
struct convert_options java_conversion(const struct java_profiling *p, const char *events);
/* Whether profiles of that type (convert/message.h) are passed on. Wall clock samples of running threads are CPU time
 * where no other event is sampled: not for whoever wants none. */
bool java_wants_profile(const struct java_profiling *p, const char *type);
