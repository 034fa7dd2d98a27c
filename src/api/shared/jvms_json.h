/* GET /api/jvms of the store, /api/v0/jvms of the agent: status of the JVMs of all profiling components, and health of
 * all components. Loop thread.
 *
 *     {"agent":true,"now_ms":…,"jvms":[{"component":ID, and the members of jvm_status_value()},…],
 *      "components":[{"id","health","message"},…]}
 */
#pragma once

#include "graph/controller.h"
#include "net/server.h"

/* `controller`: NULL without an agent in this process. */
void jvms_json_reply(struct controller *controller, struct request *rq);
