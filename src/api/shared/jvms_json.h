/* GET /api/jvms of the store, /api/v0/jvms of the agent: status of the JVMs of all profiling components, and health of
 * all components. Loop thread.
 *
 *     {"agent":true,"now_ms":…,"jvms":[{"component":ID, and the members of jvm_status_value(),
 *       "version","vendor","options","container","profiled_since_ms","last_delivered_ms","ended_ms",
 *       "recorded_bytes","lost","delivered","dropped","agent_cpu_ms"},…],
 *      "ended":[the same, of JVMs that ended not long ago],"components":[{"id","health","message"},…]}
 *
 * Its cost is that of the JVMs there are: nothing is read from outside for it.
 */
#pragma once

#include "graph/controller.h"
#include "net/server.h"

/* `controller`: NULL without an agent in this process. */
void jvms_json_reply(struct controller *controller, struct request *rq);
