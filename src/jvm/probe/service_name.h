/* The service name a process declares for OpenTelemetry, so that its profiles carry the name of its traces.
 *
 * Three places, in the order in which they count:
 *   - the process context that an SDK publishes in memory: a mapping named OTEL_CTX (OTEP 4719, version 2);
 *   - the environment: OTEL_SERVICE_NAME, then service.name in OTEL_RESOURCE_ATTRIBUTES;
 *   - the system properties otel.service.name, then service.name in otel.resource.attributes, as the JVM has them: of
 *     _JAVA_OPTIONS, else of the command line before the main class, of JDK_JAVA_OPTIONS, of JAVA_TOOL_OPTIONS; of
 *     several the last.
 *
 * Untrusted: a name that is empty, longer than SERVICE_NAME_MAX - 1 bytes, no UTF-8 or has control characters is none.
 * Nor is unknown_service…, which SDKs use where nothing is declared. Only the name leaves these functions: an
 * environment is full of secrets. Sources: OpenTelemetry specification, "Environment variable specification" and
 * resource/sdk.md (percent-encoding); opentelemetry-java, autoconfigure; OTEP 4719.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/str.h"

/* What SMOLDER_PROFILING of the environment says about profiling this process, for rules: "off", "on"; at most
 * SERVICE_CHOICE_MAX - 1 letters and digits. False: nothing. */
enum { SERVICE_CHOICE_MAX = 16 };
bool service_choice_in_environment(struct str environment, char ret[SERVICE_CHOICE_MAX]);

enum { SERVICE_NAME_MAX = 256, SERVICE_CONTEXT_MAX = 64 << 10 };

/* Whether `path` of a line of /proc/PID/maps is that of a process context. */
bool service_name_is_context(struct str path);
/* The context whose header is at `header` of /proc/PID/mem. Blocking, as vm_memory.h. */
bool service_name_in_context(int mem, uint64_t header, char ret[SERVICE_NAME_MAX]);
/* Its payload: a Resource, or a ProcessContext with one, in protobuf. */
bool service_name_in_payload(struct str payload, char ret[SERVICE_NAME_MAX]);
/* /proc/PID/environ and cmdline as they are, a NUL after each text. */
bool service_name_in_environment(struct str environment, char ret[SERVICE_NAME_MAX]);
bool service_name_in_arguments(struct str cmdline, struct str environment, char ret[SERVICE_NAME_MAX]);
