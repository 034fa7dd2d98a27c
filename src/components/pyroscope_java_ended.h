/* JVMs that pyroscope.java profiled, or was to profile, and that ended: the last JAVA_ENDED of them, for an hour.
 *
 * What is kept is their status as it was last; deliveries are counted on, since the last profiles of a JVM arrive after
 * it. Loop thread.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "base/list.h"
#include "flow/jvm_status.h"
#include "flow/origin.h"

enum { JAVA_ENDED = 100, JAVA_ENDED_S = 3600 };

struct java_ended {
    struct list items; /* the last one first */
    size_t len;
};

void java_ended_init(struct java_ended *e);
void java_ended_done(struct java_ended *e);
/* Copies the status of a process that is over now; takes a reference of the origin. `now_ns`: CLOCK_MONOTONIC. */
void java_ended_add(struct java_ended *e, const struct jvm_status *status, struct profile_origin *origin,
                    int64_t now_ns);
/* Forgets those that are too old, and shows the rest with state "gone". */
void java_ended_each(struct java_ended *e, int64_t now_ns, jvm_status_visit *visit, void *arg);
