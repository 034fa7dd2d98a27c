/* The labels a profile of a Java process leaves with.
 *
 * From the target: everything that does not start with "__". Added: pyroscope_spy, __delta__, jfr_event, __name__, and service_name
 * where the target has none, inferred in the order of the document (pyroscope.java, "targets argument"). Source: spec components §1.9.
 *
 * pyroscope_spy is "grafana-agent.java", the document's product: Pyroscope takes profiles of that spy for Java, while it has to guess
 * with Alloy's "alloy.java" (spec components, end of §6).
 */
#pragma once

#include "flow/labels.h"

/* Borrowed from the target, but for the Kubernetes form, which is written to `room`. Never empty. */
enum { JAVA_SERVICE_MAX = 512 };
struct str java_service_name(const struct labels *target, char room[JAVA_SERVICE_MAX]);

/* New reference. `name` is the profile's ("process_cpu"), `event` the CPU event in force, which may be "". */
struct labels *java_profile_labels(const struct labels *target, const char *name, const char *event);
