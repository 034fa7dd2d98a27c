/* pyroscope.java: profiles every target that names a Java process, continuously, and hands the profiles on.
 *
 * One session (jvm/session/session.h) per process, told apart by pid and start time; one stream of conversions (pyroscope_java_convert.h) per session. A
 * target that leaves is closed in the background; none ever waits for another. Document: pyroscope.java of Grafana Agent.
 */
#pragma once

#include "graph/component.h"

extern const struct component_def pyroscope_java;
