/* What a component that profiles JVMs knows of one of them, for people: the page, the API and debug information show the same.
 *
 * A component offers it by the hook `jvms` of its struct component_def, and controller_jvms() asks for it. Loop thread.
 */
#pragma once

#include <stdint.h>
#include <sys/types.h>

#include "base/str.h"
#include "flow/labels.h"
#include "lang/value.h"

struct jvm_status {
    pid_t pid;
    struct str service_name, main; /* main class or jar; "" where it is not known */
    const char *state;             /* "waiting", "starting", "profiling", "stopping" or "gone" */
    const char *reason;            /* what it waits for, or what is left out; "" while all is well */
    int64_t since_ns;              /* wall clock: how long it has been in this state */
    int64_t last_profile_ns;       /* wall clock; 0 = never */
    int64_t next_profile_ns;       /* from now until one is due; 0 = at once, or nobody knows */
    uint64_t profiles, samples;    /* handed on so far */
    const struct labels *labels;   /* of the target; those with two underscores in front are internal, and not shown */
};

/* Everything is borrowed during the call. */
typedef void jvm_status_visit(void *arg, const struct jvm_status *status);

/* As an object of the configuration language, times as RFC 3339 in UTC. New reference. */
struct value *jvm_status_value(const struct jvm_status *status);
