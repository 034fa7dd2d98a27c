/* GET /api/jvms: status of the JVMs of all profiling components, and health of all components. Loop thread.
 *
 *     {"agent":true,"now_ms":…,"jvms":[{"component":ID, and the members of jvm_status_value()},…],
 *      "components":[{"id","health","message"},…]}
 */
#pragma once

#include "graph/controller.h"
#include "net/server.h"

/* `controller`: NULL without an agent in this process. */
void page_jvms(struct controller *controller, struct request *rq);
