/* The labels of a profile of a Java process.
 *
 * From the target: all labels that do not start with "__". Added: pyroscope_spy, __delta__, jfr_event, __name__, and
 * service_name if the target has none, inferred in the order of the document (pyroscope.java, "targets argument").
 * Where that ends with `unspecified` and the target has __meta_process_java_main, it is that: targets have that label
 * only if somebody asked for it, so the document's order is what everybody else gets.
 * The instrumentation scope of OpenTelemetry, as Alloy 1.18 adds it, unless the target has labels of these names:
 * otel.scope.name with Alloy's value, so that queries find profiles of both, and otel.scope.version.
 * Source: spec components §1.9.
 *
 * pyroscope_spy is "grafana-agent.java", the document's product: Pyroscope recognises profiles of that spy as Java, but
 * not those of Alloy's "alloy.java" (spec components, end of §6).
 */
#pragma once

#include <sys/types.h>

#include "flow/labels.h"

/* Borrowed from the target, but for the Kubernetes form, which is written to `room`. Never empty. */
enum { JAVA_SERVICE_MAX = 512 };
struct str java_service_name(const struct labels *target, char room[JAVA_SERVICE_MAX]);

/* Events that a JVM's recordings have named. Zeroed at first. */
enum { JAVA_EVENTS_MAX = 4 };
struct java_events {
    const char *own[JAVA_EVENTS_MAX]; /* static */
};
#define JAVA_EVENT_OTHER "other"
/* A recording says anything, and each event is a series of its own in every store: so as a label's value it is
 * `configured`, or one of the profiler's own events, a few in a JVM's life, or else JAVA_EVENT_OTHER. Static, or
 * `configured`. */
const char *java_event_label(struct java_events *seen, const char *event, const char *configured);

/* New reference. `name` is the profile's ("process_cpu"), `event` the CPU event in force, which may be "", `version`
 * the program's, which may be "". */
struct labels *java_profile_labels(const struct labels *target, const char *name, const char *event,
                                   const char *version);

/* New reference: of the recording that its profiles are made of, for receivers that keep recordings. */
struct labels *java_recording_labels(const struct labels *target, pid_t pid);

/* ID of the container it runs in, as far as its source of targets knows; "" = none. Borrowed from the target. */
struct str java_container(const struct labels *target);

/* Main class or jar of a target, by which a person knows the process where services have no names yet. Of a command
 * line joined by spaces it is a good guess. Borrowed from the target, or from *room, to be freed. "" = unknown. */
struct str java_main(const struct labels *target, char **room);
