/* Status of one JVM as a profiling component reports it; the source of the page, the API and debug information.
 *
 * Components provide it through the `jvms` hook of struct component_def; controller_jvms() calls the hook. Loop thread.
 */
#pragma once

#include <stdint.h>
#include <sys/types.h>

#include "base/str.h"
#include "flow/labels.h"
#include "lang/value.h"

struct jvm_status {
    pid_t pid;
    uint64_t start_time;           /* clock ticks since boot: with the PID, the identity of the process */
    struct str service_name, main; /* `main`: main class or jar; "" if unknown */
    /* "waiting", "attaching", "profiling", "degraded", "backing_off", "refused" or "gone"; the table of states and
     * reasons is docs/troubleshooting.md. */
    const char *state;
    const char *reason;          /* sentence: why it is not profiled, or what is missing; "" = none */
    const char *code, *remedy;   /* of the reason: a stable identifier ("ok", "queued" without one); what to do */
    int64_t since_ns;            /* wall clock time of the last state change */
    int64_t last_profile_ns;     /* wall clock; 0 = never */
    int64_t next_profile_ns;     /* from now until the next one; 0 = now or unknown */
    uint64_t profiles, samples;  /* sent to receivers so far */
    const struct labels *labels; /* of the target; names with a leading "__" are internal and not shown */
    /* What follows is not part of jvm_status_value(). Texts may be NULL: not known. */
    const char *version, *vendor; /* "17.0.15+6-Debian" */
    const char *options;          /* of the profiler: "event=itimer,interval=…" */
    struct str container;         /* its ID; "" = none, or not known */
    int64_t profiled_since_ns;    /* wall clock of the first time it was profiled; 0 = never */
    uint64_t recorded_bytes;      /* of JFR read from it */
    uint64_t lost;                /* chunks and intervals that became no profile */
    uint64_t delivered, dropped;  /* profiles, by the endpoints they went to (flow/origin.h) */
    int64_t last_delivered_ns;    /* wall clock of the last confirmation by an endpoint; 0 = never */
    int64_t agent_cpu_ns;         /* CPU time that the conversion of its recordings took */
    int64_t ended_ns;             /* wall clock; 0 = it is not over */
};

/* `status` is borrowed during the call. */
typedef void jvm_status_visit(void *arg, const struct jvm_status *status);

/* The status as an object of the configuration language, with times in RFC 3339, UTC. New reference. */
struct value *jvm_status_value(const struct jvm_status *status);
