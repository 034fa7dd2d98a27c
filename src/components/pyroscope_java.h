/* pyroscope.java: continuously profiles every target that is a Java process, and passes the profiles on.
 *
 * One session (jvm/session.h) per process, identified by PID and start time; one conversion stream
 * (pyroscope_java_convert.h) per session. Removed targets are closed in the background; no target waits for another.
 * Document: pyroscope.java of Grafana Agent.
 */
#pragma once

#include "graph/component.h"

extern const struct component_def pyroscope_java;
